// standoff: title: persistent receives taken with MPI_Waitsome and started again, from senders of different length
// standoff: ranks: 4
// standoff: expect: clean
// standoff: stdout: messages 12 sum 22
#include <mpi.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    int rank, size;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (rank == 0) {
        int value[8], index[8], some, messages = 0, sum = 0, active = size - 1;
        MPI_Request requests[8];

        for (int w = 1; w < size; w++)
            MPI_Recv_init(&value[w - 1], 1, MPI_INT, w, 5, MPI_COMM_WORLD, &requests[w - 1]);
        MPI_Startall(size - 1, requests);
        while (active) {
            MPI_Waitsome(size - 1, requests, &some, index, MPI_STATUSES_IGNORE);
            for (int i = 0; i < some; i++) {
                int left = value[index[i]];
                messages++;
                sum += left;
                if (left)
                    MPI_Start(&requests[index[i]]);
                else
                    active--;
            }
        }
        for (int w = 1; w < size; w++)
            MPI_Request_free(&requests[w - 1]);
        printf("messages %d sum %d\n", messages, sum);
    } else {
        for (int left = 2 * rank - 1; left >= 0; left--) {
            usleep(120000);
            MPI_Send(&left, 1, MPI_INT, 0, 5, MPI_COMM_WORLD);
        }
    }
    MPI_Finalize();
    return 0;
}
