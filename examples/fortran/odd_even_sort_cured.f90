! standoff: title: odd_even_sort cured: MPI_Sendrecv_replace, also with nobody at the ends
! standoff: ranks: 6
! standoff: expect: clean
! standoff: stdout: sorted 0 1 2 3 4 6
program odd_even_sort
  use mpi_f08
  implicit none
  integer :: rank, ranks, phase, partner, mine, other
  integer, allocatable :: sorted(:)

  call MPI_Init()
  call MPI_Comm_rank(MPI_COMM_WORLD, rank)
  call MPI_Comm_size(MPI_COMM_WORLD, ranks)
  mine = modulo(5 * rank + 3, 7)
  do phase = 1, ranks
    partner = rank + merge(1, -1, modulo(rank + phase, 2) == 1)
    if (partner < 0 .or. partner >= ranks) partner = MPI_PROC_NULL
    other = mine
    call swap_with(partner)
    if (partner /= MPI_PROC_NULL) mine = merge(min(mine, other), max(mine, other), rank < partner)
  end do
  allocate (sorted(ranks))
  call MPI_Gather(mine, 1, MPI_INTEGER, sorted, 1, MPI_INTEGER, 0, MPI_COMM_WORLD)
  if (rank == 0) print '(a, 6i2)', 'sorted', sorted
  call MPI_Finalize()
contains
  subroutine swap_with(partner)
    integer, intent(in) :: partner
    call MPI_Sendrecv_replace(other, 1, MPI_INTEGER, partner, 0, partner, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE)
  end subroutine swap_with
end program odd_even_sort
