! standoff: title: wildcard receives completed in every way, all with Fortran's MPI_STATUS_IGNORE, beside a late sender
! standoff: ranks: 4
! standoff: expect: clean
! standoff: stdout: sum 450
program ignored
  use mpi
  implicit none
  integer, parameter :: each = 4
  integer :: rank, ranks, ierr, i, n, index, done, total
  integer, allocatable :: words(:), requests(:), indices(:)
  logical :: flag

  call MPI_Init(ierr)
  call MPI_Comm_rank(MPI_COMM_WORLD, rank, ierr)
  call MPI_Comm_size(MPI_COMM_WORLD, ranks, ierr)
  n = each * (ranks - 1)
  allocate (words(n), requests(n), indices(n))
  total = 0
  ! One round for each way; ranks send with tags that the collector does not name.
  call round(1)
  call round(2)
  call round(3)
  call round(4)
  call round(5)
  if (rank == 0) print '(a, i0)', 'sum ', total
  call MPI_Finalize(ierr)
contains
  subroutine round(way)
    integer, intent(in) :: way

    if (rank > 0) then
      if (rank == 2 .and. way == 3) call sleep(1)
      do i = 1, each
        call MPI_Send(way + rank + i, 1, MPI_INTEGER, 0, 100 * i + way, MPI_COMM_WORLD, ierr)
      end do
    else
      do i = 1, n
        call MPI_Irecv(words(i), 1, MPI_INTEGER, MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, requests(i), ierr)
      end do
      done = 0
      select case (way)
      case (1)
        call MPI_Waitall(n, requests, MPI_STATUSES_IGNORE, ierr)
      case (2)
        do i = 1, n
          call MPI_Waitany(n, requests, index, MPI_STATUS_IGNORE, ierr)
        end do
      case (3)
        do while (done < n)
          call MPI_Waitsome(n, requests, i, indices, MPI_STATUSES_IGNORE, ierr)
          done = done + i
        end do
      case (4)
        do while (done < n)
          call MPI_Testany(n, requests, index, flag, MPI_STATUS_IGNORE, ierr)
          if (flag) done = done + 1
        end do
      case (5)
        flag = .false.
        do while (.not. flag)
          call MPI_Testall(n, requests, flag, MPI_STATUSES_IGNORE, ierr)
        end do
      end select
      total = total + sum(words)
    end if
    ! Nobody may wait for what the last round has left over.
    call MPI_Barrier(MPI_COMM_WORLD, ierr)
  end subroutine round
end program ignored
