! standoff: title: a rank that does not find its table returns from the subroutine before the broadcast
! standoff: ranks: 3
! standoff: expect: deadlock
! standoff: core: 0, 1
! standoff: left: 2
! standoff: cured: table_not_found_cured
! standoff: text: rank 2
program tables
  use mpi_f08
  implicit none
  integer :: rank, total
  call MPI_Init()
  call MPI_Comm_rank(MPI_COMM_WORLD, rank)
  total = 0
  call add_up(rank, total)
  if (rank == 0) print '(a, i0)', 'entries ', total
  call MPI_Finalize()
contains
  subroutine add_up(rank, total)
    integer, intent(in) :: rank
    integer, intent(out) :: total
    integer :: entries
    total = 0
    call read_table(rank, entries)
    if (entries == 0) return
    call MPI_Allreduce(entries, total, 1, MPI_INTEGER, MPI_SUM, MPI_COMM_WORLD)  ! @core 0, 1
  end subroutine

  subroutine read_table(rank, entries)
    integer, intent(in) :: rank
    integer, intent(out) :: entries
    integer, parameter :: lengths(0:2) = [12, 30, 0]
    entries = lengths(rank)
  end subroutine
end program
