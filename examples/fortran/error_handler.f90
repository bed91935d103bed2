! standoff: title: an error handler sends what another rank waits for
! standoff: ranks: 2
! standoff: expect: clean
! standoff: stdout: told
module handler
  use mpi
  implicit none
contains
  subroutine tell(comm, code)
    integer :: comm, code, ierr, word

    word = code
    call sleep(1)
    call MPI_Send(word, 1, MPI_INTEGER, 0, 0, MPI_COMM_WORLD, ierr)
  end subroutine tell
end module handler

program main
  use mpi
  use handler
  implicit none
  integer :: rank, word, handle, copy, ierr

  call MPI_Init(ierr)
  call MPI_Comm_rank(MPI_COMM_WORLD, rank, ierr)
  if (rank == 1) then
    call MPI_Comm_dup(MPI_COMM_SELF, copy, ierr)
    call MPI_Comm_create_errhandler(tell, handle, ierr)
    call MPI_Comm_set_errhandler(copy, handle, ierr)
    ! There is no rank 7 on it.
    call MPI_Send(word, 1, MPI_INTEGER, 7, 0, copy, ierr)
  else
    call MPI_Recv(word, 1, MPI_INTEGER, 1, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE, ierr)
    print '(a)', 'told'
  end if
  call MPI_Finalize(ierr)
end program main
