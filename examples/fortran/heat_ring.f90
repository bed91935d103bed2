! standoff: title: a periodic heat equation whose exchange, a module procedure, receives before it sends
! standoff: ranks: 4
! standoff: expect: deadlock
! standoff: core: 0-3
! standoff: cured: heat_ring_cured
! standoff: text: halo::exchange
module halo
  use mpi
  implicit none
  integer :: left, right
contains
  subroutine exchange(u)
    double precision, intent(inout) :: u(0:)
    integer :: n, ierr

    n = ubound(u, 1) - 1
    call MPI_Recv(u(0), 1, MPI_DOUBLE_PRECISION, left, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE, ierr)  ! @core 0-3
    call MPI_Send(u(n), 1, MPI_DOUBLE_PRECISION, right, 1, MPI_COMM_WORLD, ierr)
    call MPI_Recv(u(n + 1), 1, MPI_DOUBLE_PRECISION, right, 2, MPI_COMM_WORLD, MPI_STATUS_IGNORE, ierr)
    call MPI_Send(u(1), 1, MPI_DOUBLE_PRECISION, left, 2, MPI_COMM_WORLD, ierr)
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
