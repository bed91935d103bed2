! standoff: title: rows arrive late and out of order while every rank has a nonblocking reduction open
! standoff: ranks: 4
! standoff: expect: clean
! standoff: stdout: checked 12 sum 6
program late_rows
  use mpi
  implicit none
  integer, parameter :: n = 3
  integer :: rank, size, ierr, i, from, checked, total, requests(n), open_sum, start, now, rate
  integer :: row(1000, n), mine(1000, n), out(n)
  call MPI_Init(ierr)
  call MPI_Comm_rank(MPI_COMM_WORLD, rank, ierr)
  call MPI_Comm_size(MPI_COMM_WORLD, size, ierr)
  call MPI_Iallreduce(rank, total, 1, MPI_INTEGER, MPI_SUM, MPI_COMM_WORLD, open_sum, ierr)
  do i = 1, n
    call MPI_Irecv(row(1, i), 1000, MPI_INTEGER, modulo(rank - i, size), i, MPI_COMM_WORLD, requests(i), ierr)
  end do
  if (rank == 2) call compute_for(1.5)
  do i = n, 1, -1
    mine(:, i) = 100 * rank + i
    call MPI_Isend(mine(1, i), 1000, MPI_INTEGER, modulo(rank + i, size), i, MPI_COMM_WORLD, out(i), ierr)
  end do
  checked = 0
  do i = 1, n
    call MPI_Waitany(n, requests, from, MPI_STATUS_IGNORE, ierr)
    if (row(1000, from) == 100 * modulo(rank - from, size) + from) checked = checked + 1
  end do
  call MPI_Waitall(n, out, MPI_STATUSES_IGNORE, ierr)
  call MPI_Wait(open_sum, MPI_STATUS_IGNORE, ierr)
  call MPI_Allreduce(MPI_IN_PLACE, checked, 1, MPI_INTEGER, MPI_SUM, MPI_COMM_WORLD, ierr)
  if (rank == 0) print '(a, i0, a, i0)', 'checked ', checked, ' sum ', total
  call MPI_Finalize(ierr)
contains
  subroutine compute_for(seconds)
    real, intent(in) :: seconds
    call system_clock(start, rate)
    do
      call system_clock(now)
      if (now - start > seconds * rate) exit
    end do
  end subroutine
end program
