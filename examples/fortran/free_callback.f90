! standoff: title: an attribute's delete callback inside MPI_Comm_free sends what another rank waits for
! standoff: ranks: 3
! standoff: expect: clean
! standoff: stdout: got 42
module farewell
  use mpi
  implicit none
contains
  ! Fortran bindings keep attributes by functions of the library that are no MPI procedures.
  subroutine on_delete(comm, keyval, value, extra, ierr)
    integer :: comm, keyval, ierr, word
    integer(MPI_ADDRESS_KIND) :: value, extra

    word = int(value)
    call sleep(1)
    call MPI_Send(word, 1, MPI_INTEGER, 0, 0, MPI_COMM_WORLD, ierr)
  end subroutine on_delete
end module farewell

program main
  use mpi
  use farewell
  implicit none
  integer :: rank, word, keyval, copy, ierr

  call MPI_Init(ierr)
  call MPI_Comm_rank(MPI_COMM_WORLD, rank, ierr)
  if (rank == 1) then
    call MPI_Comm_dup(MPI_COMM_SELF, copy, ierr)
    call MPI_Comm_create_keyval(MPI_COMM_NULL_COPY_FN, on_delete, keyval, 0_MPI_ADDRESS_KIND, ierr)
    call MPI_Comm_set_attr(copy, keyval, 42_MPI_ADDRESS_KIND, ierr)
    call MPI_Comm_free(copy, ierr)
  else if (rank == 0) then
    call MPI_Recv(word, 1, MPI_INTEGER, 1, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE, ierr)
    print '(a, i0)', 'got ', word
  end if
  call MPI_Finalize(ierr)
end program main
