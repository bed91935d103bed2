! standoff: title: the opening example cured: both sides use MPI_Sendrecv (use mpi_f08)
! standoff: ranks: 9
! standoff: expect: clean
! standoff: stdout: rank 1 got b
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
    call MPI_Sendrecv(mine, 1, MPI_CHARACTER, 5, 0, got, 1, MPI_CHARACTER, 5, 0, &
                      MPI_COMM_WORLD, MPI_STATUS_IGNORE)
    print '(a, a)', 'rank 1 got ', got
  end if
  if (rank == 5) then
    mine = 'b'
    call MPI_Sendrecv(mine, 1, MPI_CHARACTER, 1, 0, got, 1, MPI_CHARACTER, 1, 0, &
                      MPI_COMM_WORLD, MPI_STATUS_IGNORE)
  end if
  call MPI_Finalize()
end program opening
