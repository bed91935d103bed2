! standoff: title: a farm polled with MPI_Testsome, whose indices begin at 1, and unexpected messages that come last
! standoff: ranks: 6
! standoff: expect: clean
! standoff: stdout: results 40
!
! With `use mpi`: MPICH 4.0's mpi_f08 gives indices of MPI_Testsome that begin at 0.
program farm
  use mpi
  implicit none
  integer, parameter :: tasks = 40, stop_word = 0
  integer :: rank, ranks, i, handed, finished, n, word, gossip, ierr
  integer, allocatable :: results(:), indices(:), requests(:), statuses(:, :)

  call MPI_Init(ierr)
  call MPI_Comm_rank(MPI_COMM_WORLD, rank, ierr)
  call MPI_Comm_size(MPI_COMM_WORLD, ranks, ierr)
  if (rank == 0) then
    allocate (results(ranks - 1), indices(ranks - 1), requests(ranks - 1), statuses(MPI_STATUS_SIZE, ranks - 1))
    do i = 1, ranks - 1
      call MPI_Recv_init(results(i), 1, MPI_INTEGER, i, MPI_ANY_TAG, MPI_COMM_WORLD, requests(i), ierr)
      call MPI_Start(requests(i), ierr)
      call MPI_Send(i, 1, MPI_INTEGER, i, 1, MPI_COMM_WORLD, ierr)
    end do
    handed = ranks - 1
    finished = 0
    do while (finished < tasks)
      call MPI_Testsome(ranks - 1, requests, n, indices, statuses, ierr)
      do i = 1, n
        finished = finished + 1
        ! The position of a request is its worker's rank.
        if (statuses(MPI_SOURCE, i) /= indices(i)) call MPI_Abort(MPI_COMM_WORLD, 3, ierr)
        if (handed < tasks) then
          handed = handed + 1
          call MPI_Start(requests(indices(i)), ierr)
          call MPI_Send(handed, 1, MPI_INTEGER, indices(i), 1, MPI_COMM_WORLD, ierr)
        else
          call MPI_Send(stop_word, 1, MPI_INTEGER, indices(i), 1, MPI_COMM_WORLD, ierr)
        end if
      end do
    end do
    do i = ranks - 1, 1, -1
      call MPI_Request_free(requests(i), ierr)
      call MPI_Recv(gossip, 1, MPI_INTEGER, i, 1000, MPI_COMM_WORLD, MPI_STATUS_IGNORE, ierr)
    end do
    print '(a, i0)', 'results ', finished
  else
    do
      call MPI_Recv(word, 1, MPI_INTEGER, 0, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE, ierr)
      if (word == stop_word) exit
      if (word == 3) call sleep(2)
      call MPI_Send(word, 1, MPI_INTEGER, 0, 10 + word, MPI_COMM_WORLD, ierr)
    end do
    call MPI_Send(rank, 1, MPI_INTEGER, 0, 1000, MPI_COMM_WORLD, ierr)
  end if
  call MPI_Finalize(ierr)
end program farm
