! standoff: title: a wavefront sweep in which the first rank, too, waits for a row from the one before it
! standoff: ranks: 4
! standoff: expect: deadlock
! standoff: core: 0-3
! standoff: cured: wavefront_sweep_cured
! standoff: text: MPI_Recv
module sweep
  use mpi
  implicit none
  integer, parameter :: n = 16
contains
  subroutine neighbours(rank, size, above, below)
    integer, intent(in) :: rank, size
    integer, intent(out) :: above, below
    above = modulo(rank - 1, size)
    below = modulo(rank + 1, size)
  end subroutine

  subroutine forward(rows, above, below)
    real(8), intent(inout) :: rows(n, 4)
    integer, intent(in) :: above, below
    real(8) :: ghost(n)
    integer :: row, ierr
    ghost = 0
    call MPI_Recv(ghost, n, MPI_REAL8, above, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE, ierr)  ! @core 0-3
    do row = 1, 4
      rows(:, row) = rows(:, row) + ghost
      ghost = rows(:, row)
    end do
    call MPI_Send(ghost, n, MPI_REAL8, below, 1, MPI_COMM_WORLD, ierr)
  end subroutine
end module

program wavefront
  use sweep
  implicit none
  integer :: rank, size, above, below, ierr
  real(8) :: rows(n, 4)
  call MPI_Init(ierr)
  call MPI_Comm_rank(MPI_COMM_WORLD, rank, ierr)
  call MPI_Comm_size(MPI_COMM_WORLD, size, ierr)
  call neighbours(rank, size, above, below)
  rows = 1
  call forward(rows, above, below)
  if (rank == size - 1) print '(a, f5.1)', 'last row ', rows(1, 4)
  call MPI_Finalize(ierr)
end program
