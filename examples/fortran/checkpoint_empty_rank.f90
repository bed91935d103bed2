! standoff: title: the writer of a checkpoint probes for the points of a rank that has none and waits in the barrier
! standoff: ranks: 6
! standoff: expect: deadlock
! standoff: core: 0, 3
! standoff: cured: checkpoint_empty_rank_cured
module checkpoints
  use mpi
  implicit none
contains
  ! Rank 0 writes what the others hold.
  subroutine write_checkpoint(points)
    integer, intent(in) :: points(:)
    integer, allocatable :: all(:)
    integer :: rank, ranks, i, n, total, ierr, status(MPI_STATUS_SIZE)

    call MPI_Comm_rank(MPI_COMM_WORLD, rank, ierr)
    call MPI_Comm_size(MPI_COMM_WORLD, ranks, ierr)
    total = size(points)
    if (rank == 0) then
      do i = 1, ranks - 1
        call mpi_probe(i, 7, MPI_COMM_WORLD, status, ierr)  ! @core 0
        call MPI_Get_count(status, MPI_INTEGER, n, ierr)
        allocate (all(n))
        call MPI_Recv(all, n, MPI_INTEGER, i, 7, MPI_COMM_WORLD, MPI_STATUS_IGNORE, ierr)
        total = total + size(all)
        deallocate (all)
      end do
      print '(a, i0)', 'points: ', total
    else if (size(points) > 0) then
      call MPI_Send(points, size(points), MPI_INTEGER, 0, 7, MPI_COMM_WORLD, ierr)
    end if
    call MPI_Barrier(MPI_COMM_WORLD, ierr)  ! @core 3
  end subroutine write_checkpoint
end module checkpoints

program main
  use mpi
  use checkpoints
  implicit none
  integer, allocatable :: points(:)
  integer :: rank, ierr, i

  call MPI_Init(ierr)
  call MPI_Comm_rank(MPI_COMM_WORLD, rank, ierr)
  ! All points of rank 3 have moved away.
  points = [(i, i=1, merge(0, 10, rank == 3))]
  call write_checkpoint(points)
  call MPI_Finalize(ierr)
end program main
