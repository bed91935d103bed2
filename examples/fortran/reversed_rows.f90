! standoff: title: rows whose ranks are reversed, nonblocking collectives on them and early leavers
! standoff: ranks: 9
! standoff: expect: clean
! standoff: stdout: 9 columns
program reversed_rows
  implicit none
  include 'mpif.h'
  integer :: rank, ranks, ierr, row, place, word, total, sums(3), requests(3)
  integer :: statuses(MPI_STATUS_SIZE, 3)

  call MPI_Init(ierr)
  call MPI_Comm_rank(MPI_COMM_WORLD, rank, ierr)
  call MPI_Comm_size(MPI_COMM_WORLD, ranks, ierr)
  ! Rank 0 of a row is the highest rank of the world in it.
  call MPI_Comm_split(MPI_COMM_WORLD, rank / 3, -rank, row, ierr)
  call MPI_Comm_rank(row, place, ierr)
  word = place
  call MPI_Ibcast(word, 1, MPI_INTEGER, 2, row, requests(1), ierr)
  call MPI_Iallreduce(rank, total, 1, MPI_INTEGER, MPI_SUM, row, requests(2), ierr)
  call MPI_Iallgather(place, 1, MPI_INTEGER, sums, 1, MPI_INTEGER, row, requests(3), ierr)
  if (rank == 4) call sleep(2)
  ! The last one first.
  call MPI_Wait(requests(3), MPI_STATUS_IGNORE, ierr)
  call MPI_Waitall(3, requests, statuses, ierr)
  ! A chain within the row, against the order of the world.
  if (place > 0) call MPI_Recv(word, 1, MPI_INTEGER, place - 1, 5, row, MPI_STATUS_IGNORE, ierr)
  if (place < 2) call MPI_Send(place, 1, MPI_INTEGER, place + 1, 5, row, ierr)
  ! The first of each row leave; the last goes on alone with rank 0 of the world.
  if (rank == 0) then
    call MPI_Recv(word, 1, MPI_INTEGER, ranks - 3, 6, MPI_COMM_WORLD, MPI_STATUS_IGNORE, ierr)
    print '(i0, a)', word, ' columns'
  else if (rank == ranks - 3) then
    call sleep(1)
    call MPI_Send(ranks, 1, MPI_INTEGER, 0, 6, MPI_COMM_WORLD, ierr)
  end if
  call MPI_Finalize(ierr)
end program reversed_rows
