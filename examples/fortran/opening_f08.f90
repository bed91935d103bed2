! standoff: title: two ranks each receive before they send (use mpi_f08)
! standoff: ranks: 9
! standoff: expect: deadlock
! standoff: core: 1, 5
! standoff: cured: opening_swapped_f08, opening_sendrecv_f08
! standoff: text: MPI_Recv
program opening
  use mpi_f08
  implicit none
  integer :: rank
  character :: mine, got

  got = '?'
  call MPI_Init()
  call MPI_Comm_rank(MPI_COMM_WORLD, rank)
  if (rank == 1) then
    mine = 'a'
    call MPI_Recv(got, 1, MPI_CHARACTER, 5, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE)  ! @core 1
    call MPI_Send(mine, 1, MPI_CHARACTER, 5, 0, MPI_COMM_WORLD)
  end if
  if (rank == 5) then
    mine = 'b'
    call MPI_Recv(got, 1, MPI_CHARACTER, 1, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE)  ! @core 5
    call MPI_Send(mine, 1, MPI_CHARACTER, 1, 0, MPI_COMM_WORLD)
  end if
  call MPI_Finalize()
end program opening
