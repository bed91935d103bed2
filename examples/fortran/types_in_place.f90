! standoff: title: derived types, MPI_IN_PLACE, MPI_PROC_NULL and messages to oneself, with a late rank
! standoff: ranks: 5
! standoff: expect: clean
! standoff: stdout: total 50 last 4
program types_in_place
  use mpi_f08
  implicit none
  type :: particle
    sequence
    double precision :: position
    integer :: cell, kind
  end type particle
  type(particle) :: here(10), there(10)
  type(MPI_Datatype) :: parts, one
  type(MPI_Request) :: request
  type(MPI_Status) :: status
  integer(MPI_ADDRESS_KIND) :: places(2)
  integer :: rank, ranks, left, right, total(3), all(5), n

  call MPI_Init()
  call MPI_Comm_rank(MPI_COMM_WORLD, rank)
  call MPI_Comm_size(MPI_COMM_WORLD, ranks)
  call MPI_Get_address(here(1)%position, places(1))
  call MPI_Get_address(here(1)%cell, places(2))
  places = places - places(1)
  call MPI_Type_create_struct(2, [1, 2], places, [MPI_DOUBLE_PRECISION, MPI_INTEGER], parts)
  call MPI_Type_create_resized(parts, 0_MPI_ADDRESS_KIND, 16_MPI_ADDRESS_KIND, one)
  call MPI_Type_commit(one)
  here = particle(0.5d0, rank, 1)
  there = particle(0d0, -1, 0)
  left = rank - 1
  right = rank + 1
  if (left < 0) left = MPI_PROC_NULL
  if (right == ranks) right = MPI_PROC_NULL
  if (rank == 3) call sleep(2)
  ! An open chain: each receives before it sends, and the first has nobody to receive from.
  call MPI_Recv(there, 10, one, left, MPI_ANY_TAG, MPI_COMM_WORLD, status)
  call MPI_Get_count(status, one, n)
  call MPI_Send(here, 10, one, right, rank, MPI_COMM_WORLD)
  ! To oneself.
  call MPI_Irecv(there, 10, one, rank, 99, MPI_COMM_WORLD, request)
  call MPI_Ssend(here, 10, one, rank, 99, MPI_COMM_WORLD)
  call MPI_Wait(request, MPI_STATUS_IGNORE)
  total = there(1:3)%kind * 10
  call MPI_Allreduce(MPI_IN_PLACE, total, 3, MPI_INTEGER, MPI_SUM, MPI_COMM_WORLD)
  all = -1
  all(rank + 1) = rank
  call MPI_Allgather(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, all, 1, MPI_INTEGER, MPI_COMM_WORLD)
  if (rank == 0) then
    call MPI_Reduce(MPI_IN_PLACE, all, 5, MPI_INTEGER, MPI_MAX, 0, MPI_COMM_WORLD)
    print '(a, i0, a, i0)', 'total ', total(1), ' last ', all(5)
  else
    call MPI_Reduce(all, there, 5, MPI_INTEGER, MPI_MAX, 0, MPI_COMM_WORLD)
  end if
  call MPI_Type_free(one)
  call MPI_Type_free(parts)
  call MPI_Finalize()
end program types_in_place
