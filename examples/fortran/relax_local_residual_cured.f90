! standoff: title: relax_local_residual cured: the test uses the residual of all
! standoff: ranks: 8
! standoff: expect: clean
! standoff: stdout: relaxed
!
! In the habits of Fortran 77: mpif.h, implicit interfaces, upper case.
      PROGRAM RELAX
      IMPLICIT NONE
      INCLUDE 'mpif.h'
      INTEGER RANK, IERR, STEP
      DOUBLE PRECISION MINE, WORST

      CALL MPI_INIT(IERR)
      CALL MPI_COMM_RANK(MPI_COMM_WORLD, RANK, IERR)
      WORST = 1
      MINE = 1
      DO STEP = 1, 100
         CALL SWEEP(RANK, MINE)
         CALL MPI_ALLREDUCE(MINE, WORST, 1, MPI_DOUBLE_PRECISION, MPI_MAX, MPI_COMM_WORLD, IERR)
         IF (WORST .LT. 1D-6) EXIT
      END DO
      IF (RANK .EQ. 0) PRINT '(A)', 'relaxed'
      CALL MPI_FINALIZE(IERR)
      END PROGRAM RELAX

! The subdomain of rank 6 is the smoothest.
      SUBROUTINE SWEEP(RANK, RESIDUAL)
      IMPLICIT NONE
      INTEGER RANK
      DOUBLE PRECISION RESIDUAL
      RESIDUAL = RESIDUAL * 0.5D0
      IF (RANK .EQ. 6) RESIDUAL = RESIDUAL * 0.25D0
      END SUBROUTINE SWEEP
