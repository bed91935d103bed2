! standoff: title: a rank polls with MPI_Test for a message that nobody sends
! standoff: ranks: 2
! standoff: expect: stalled
! standoff: core: 0
! standoff: left: 1
! standoff: text: MPI_Test
program poller
  use mpi_f08
  implicit none
  type(MPI_Request) :: request
  integer :: rank, word
  logical :: done

  call MPI_Init()
  call MPI_Comm_rank(MPI_COMM_WORLD, rank)
  if (rank == 0) then
    call MPI_Irecv(word, 1, MPI_INTEGER, 1, 0, MPI_COMM_WORLD, request)
    done = .false.
    ! On one line: gfortran's debug information takes the call for a part of the loop's head.
    do while (.not. done); call MPI_Test(request, done, MPI_STATUS_IGNORE); end do  ! @core 0
  end if
  call MPI_Finalize()
end program poller
