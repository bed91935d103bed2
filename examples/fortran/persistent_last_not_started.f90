! standoff: title: persistent requests of which a loop that counts as in C does not start the last
! standoff: ranks: 4
! standoff: expect: deadlock
! standoff: core: 0-3
! standoff: cured: persistent_last_not_started_cured
program persistent
  use mpi_f08
  implicit none
  type(MPI_Request) :: requests(4)
  type(MPI_Comm) :: ring
  double precision :: u(0:101)
  integer :: left, right, rank, step, i

  call MPI_Init()
  call MPI_Cart_create(MPI_COMM_WORLD, 1, [4], [.true.], .false., ring)
  call MPI_Comm_rank(ring, rank)
  call MPI_Cart_shift(ring, 0, 1, left, right)
  u = rank
  call MPI_Recv_init(u(0), 1, MPI_DOUBLE_PRECISION, left, 1, ring, requests(1))
  call MPI_Recv_init(u(101), 1, MPI_DOUBLE_PRECISION, right, 2, ring, requests(2))
  call MPI_Send_init(u(1), 1, MPI_DOUBLE_PRECISION, left, 2, ring, requests(3))
  call MPI_Send_init(u(100), 1, MPI_DOUBLE_PRECISION, right, 1, ring, requests(4))
  do step = 1, 5
    do i = 1, size(requests) - 1
      call MPI_Start(requests(i))
    end do
    call MPI_Waitall(4, requests, MPI_STATUSES_IGNORE)  ! @core 0-3
  end do
  if (rank == 0) print '(a, 2i2)', 'beside 0:', nint(u([0, 101]))
  do i = 1, 4
    call MPI_Request_free(requests(i))
  end do
  call MPI_Comm_free(ring)
  call MPI_Finalize()
end program persistent
