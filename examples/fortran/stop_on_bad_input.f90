! standoff: title: a rank with bad input stops: STOP does not call MPI_Finalize
! standoff: ranks: 3
! standoff: expect: failed
! standoff: mpi: openmpi
! standoff: text: rank 1 exited with status 0, without MPI_Finalize
!
! The status of MPICH's launcher is 0 or not, as it happens.
program stop_on_bad_input
  use mpi
  implicit none
  integer :: rank, ierr, points, total

  call MPI_Init(ierr)
  call MPI_Comm_rank(MPI_COMM_WORLD, rank, ierr)
  points = 100 - 101 * mod(rank, 2)
  if (points < 1) stop 'no points in this box'
  call MPI_Allreduce(points, total, 1, MPI_INTEGER, MPI_SUM, MPI_COMM_WORLD, ierr)
  call MPI_Finalize(ierr)
end program stop_on_bad_input
