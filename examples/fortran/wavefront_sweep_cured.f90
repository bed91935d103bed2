! standoff: title: the first and the last rank have nobody beyond them
! standoff: ranks: 4
! standoff: expect: clean
! standoff: stdout: last row  16.0
module sweep
  use mpi
  implicit none
  integer, parameter :: n = 16
contains
  subroutine neighbours(rank, size, above, below)
    integer, intent(in) :: rank, size
    integer, intent(out) :: above, below
    above = rank - 1
    below = rank + 1
    if (rank == 0) above = MPI_PROC_NULL
    if (rank == size - 1) below = MPI_PROC_NULL
  end subroutine

  subroutine forward(rows, above, below)
    real(8), intent(inout) :: rows(n, 4)
    integer, intent(in) :: above, below
    real(8) :: ghost(n)
    integer :: row, ierr
    ghost = 0
    call MPI_Recv(ghost, n, MPI_REAL8, above, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE, ierr)
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
