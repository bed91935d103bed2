# standoff: title: two models each receive first, on a communicator with a long name that is not ASCII
# standoff: ranks: 2
# standoff: expect: deadlock
# standoff: core: 0-1
# standoff: cured: named_coupler_cured
# standoff: text: 海洋モデルの東西方向の境界交…
from mpi4py import MPI

coupler = MPI.COMM_WORLD.Dup()
coupler.Set_name("海洋モデルの東西方向の境界交換用")
other = 1 - coupler.rank

flux = coupler.recv(source=other, tag=4)  # @core 0-1
coupler.send(coupler.rank, dest=other, tag=4)
