//! `standoff`: finds, explains and ends deadlocks in MPI programs. Everything is in the library.

fn main() {
    standoff::main(std::env::args_os()).exit()
}
