! standoff: title: heat_ring cured: MPI_Sendrecv in both directions
! standoff: ranks: 4
! standoff: expect: clean
! standoff: stdout: heat 6000
module halo
  use mpi
  implicit none
  integer :: left, right
contains
  subroutine exchange(u)
    double precision, intent(inout) :: u(0:)
    integer :: n, ierr

    n = ubound(u, 1) - 1
    call MPI_Sendrecv(u(n), 1, MPI_DOUBLE_PRECISION, right, 1, u(0), 1, MPI_DOUBLE_PRECISION, left, 1, &
                      MPI_COMM_WORLD, MPI_STATUS_IGNORE, ierr)
    call MPI_Sendrecv(u(1), 1, MPI_DOUBLE_PRECISION, left, 2, u(n + 1), 1, MPI_DOUBLE_PRECISION, right, 2, &
                      MPI_COMM_WORLD, MPI_STATUS_IGNORE, ierr)
  end subroutine exchange
end module halo

program heat
  use mpi
  use halo
  implicit none
  integer, parameter :: cells = 1000, steps = 10
  double precision, allocatable :: u(:), new(:)
  double precision :: total
  integer :: rank, ranks, step, ierr

  call MPI_Init(ierr)
  call MPI_Comm_rank(MPI_COMM_WORLD, rank, ierr)
  call MPI_Comm_size(MPI_COMM_WORLD, ranks, ierr)
  left = modulo(rank - 1, ranks)
  right = modulo(rank + 1, ranks)
  allocate (u(0:cells + 1), new(0:cells + 1))
  u = rank
  do step = 1, steps
    call exchange(u)
    new(1:cells) = u(1:cells) + 0.25d0 * (u(0:cells - 1) - 2 * u(1:cells) + u(2:cells + 1))
    u(1:cells) = new(1:cells)
  end do
  call MPI_Allreduce(sum(u(1:cells)), total, 1, MPI_DOUBLE_PRECISION, MPI_SUM, MPI_COMM_WORLD, ierr)
  if (rank == 0) print '(a, i0)', 'heat ', nint(total)
  call MPI_Finalize(ierr)
end program heat
