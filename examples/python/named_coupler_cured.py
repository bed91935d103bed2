# standoff: title: the models exchange their fluxes with sendrecv
# standoff: ranks: 2
# standoff: expect: clean
# standoff: stdout: flux 1
from mpi4py import MPI

coupler = MPI.COMM_WORLD.Dup()
coupler.Set_name("海洋モデルの東西方向の境界交換用")
other = 1 - coupler.rank

flux = coupler.sendrecv(coupler.rank, dest=other, sendtag=4, source=other, recvtag=4)
if coupler.rank == 0:
    print("flux", flux, flush=True)
