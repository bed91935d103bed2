! standoff: title: ocean and atmosphere, over an intercommunicator, each wait for a flux that the other does not send
! standoff: ranks: 6
! standoff: expect: deadlock
! standoff: core: 0, 3
! standoff: victims: 1-2, 4-5
! standoff: cured: coupler_fluxes_cured
! standoff: text: MPI_Waitall
program coupler
  use mpi_f08
  implicit none
  integer, parameter :: heat_flux = 1, water_flux = 2, salt_flux = 3
  type(MPI_Comm) :: model, other
  type(MPI_Request) :: requests(2)
  real :: sent(100), got(100)
  integer :: rank, ranks, me, leader
  logical :: ocean

  call MPI_Init()
  call MPI_Comm_rank(MPI_COMM_WORLD, rank)
  call MPI_Comm_size(MPI_COMM_WORLD, ranks)
  ! The first half is the ocean, the second the atmosphere; each has its leader at rank 0.
  ocean = rank < ranks / 2
  call MPI_Comm_split(MPI_COMM_WORLD, merge(0, 1, ocean), rank, model)
  leader = merge(ranks / 2, 0, ocean)
  call MPI_Intercomm_create(model, 0, MPI_COMM_WORLD, leader, 99, other)
  call MPI_Comm_rank(model, me)
  sent = rank
  got = -1
  if (me == 0) then
    call MPI_Irecv(got, size(got), MPI_REAL, 0, merge(water_flux, salt_flux, ocean), other, requests(1))
    call MPI_Isend(sent, size(sent), MPI_REAL, 0, heat_flux, other, requests(2))
    call MPI_Waitall(2, requests, MPI_STATUSES_IGNORE)  ! @core 0, 3
  end if
  call MPI_Bcast(got, size(got), MPI_REAL, 0, model)
  if (rank == ranks - 1) print '(a, i0)', 'flux ', nint(got(1))
  call MPI_Comm_free(other)
  call MPI_Comm_free(model)
  call MPI_Finalize()
end program coupler
