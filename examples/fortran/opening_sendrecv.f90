! standoff: title: the opening example cured: both sides use MPI_Sendrecv (use mpi)
! standoff: ranks: 9
! standoff: expect: clean
! standoff: stdout: rank 1 got b
program opening
  use mpi
  implicit none
  integer :: rank, ierr
  character :: mine, got

  got = '?'
  call MPI_Init(ierr)
  call MPI_Comm_rank(MPI_COMM_WORLD, rank, ierr)
  if (rank == 1) then
    mine = 'a'
    call MPI_Sendrecv(mine, 1, MPI_CHARACTER, 5, 0, got, 1, MPI_CHARACTER, 5, 0, &
                      MPI_COMM_WORLD, MPI_STATUS_IGNORE, ierr)
    print '(a, a)', 'rank 1 got ', got
  end if
  if (rank == 5) then
    mine = 'b'
    call MPI_Sendrecv(mine, 1, MPI_CHARACTER, 1, 0, got, 1, MPI_CHARACTER, 1, 0, &
                      MPI_COMM_WORLD, MPI_STATUS_IGNORE, ierr)
  end if
  call MPI_Finalize(ierr)
end program opening
