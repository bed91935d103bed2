! standoff: title: two ranks each receive before they send (mpif.h)
! standoff: ranks: 9
! standoff: expect: deadlock
! standoff: core: 1, 5
! standoff: cured: opening_swapped_mpifh, opening_sendrecv_mpifh
! standoff: text: MPI_Recv
program opening
  implicit none
  include 'mpif.h'
  integer :: rank, ierr
  character :: mine, got

  got = '?'
  call MPI_Init(ierr)
  call MPI_Comm_rank(MPI_COMM_WORLD, rank, ierr)
  if (rank == 1) then
    mine = 'a'
    call MPI_Recv(got, 1, MPI_CHARACTER, 5, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE, ierr)  ! @core 1
    call MPI_Send(mine, 1, MPI_CHARACTER, 5, 0, MPI_COMM_WORLD, ierr)
  end if
  if (rank == 5) then
    mine = 'b'
    call MPI_Recv(got, 1, MPI_CHARACTER, 1, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE, ierr)  ! @core 5
    call MPI_Send(mine, 1, MPI_CHARACTER, 1, 0, MPI_COMM_WORLD, ierr)
  end if
  call MPI_Finalize(ierr)
end program opening
