! standoff: title: an attribute callback inside MPI_Finalize sends what another rank waits for
! standoff: ranks: 3
! standoff: expect: clean
! standoff: stdout: got 42
module farewell
  use mpi_f08
  implicit none
contains
  subroutine on_delete(comm, keyval, value, extra, ierr)
    type(MPI_Comm) :: comm
    integer :: keyval, ierr, word
    integer(MPI_ADDRESS_KIND) :: value, extra

    word = int(value)
    call sleep(1)
    call MPI_Send(word, 1, MPI_INTEGER, 0, 0, MPI_COMM_WORLD)
    ierr = MPI_SUCCESS
  end subroutine on_delete
end module farewell

program main
  use mpi_f08
  use farewell
  implicit none
  integer :: rank, word, keyval

  call MPI_Init()
  call MPI_Comm_rank(MPI_COMM_WORLD, rank)
  if (rank == 1) then
    call MPI_Comm_create_keyval(MPI_COMM_NULL_COPY_FN, on_delete, keyval, 0_MPI_ADDRESS_KIND)
    call MPI_Comm_set_attr(MPI_COMM_SELF, keyval, 42_MPI_ADDRESS_KIND)
  else if (rank == 0) then
    call MPI_Recv(word, 1, MPI_INTEGER, 1, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE)
    print '(a, i0)', 'got ', word
  end if
  call MPI_Finalize()
end program main
