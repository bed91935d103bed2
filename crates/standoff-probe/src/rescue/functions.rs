//! The procedures of the library that take the place of blocking calls, called past all wrappers.

use super::copy::Copy;
use super::{Receive, Send};
use crate::P;
use crate::hooks::SUCCESS;
use crate::rank::Rank;
use crate::symbols::library;

macro_rules! functions {
    ($($field:ident: $name:literal, fn($($t:ty),*);)*) => {
        /// The library's procedures, by address.
        #[allow(clippy::type_complexity)]
        pub(crate) struct Functions {
            $($field: unsafe extern "C-unwind" fn($($t),*) -> i32,)*
            large: Option<Large>,
        }

        impl Functions {
            /// `None` if the library lacks one.
            pub fn load() -> Option<Functions> {
                Some(Functions {
                    // SAFETY: MPI's signatures.
                    $($field: unsafe {
                        core::mem::transmute::<usize, unsafe extern "C-unwind" fn($($t),*) -> i32>(library($name)?)
                    },)*
                    large: Large::load(),
                })
            }
        }
    };
}

functions! {
    isend: c"PMPI_Isend", fn(P, i32, usize, i32, i32, usize, P);
    irecv: c"PMPI_Irecv", fn(P, i32, usize, i32, i32, usize, P);
    test: c"PMPI_Test", fn(P, P, P);
    testall: c"PMPI_Testall", fn(i32, P, P, P);
    get_status: c"PMPI_Request_get_status", fn(usize, P, P);
    cancel: c"PMPI_Cancel", fn(P);
    free: c"PMPI_Request_free", fn(P);
    start: c"PMPI_Start", fn(P);
    type_dup: c"PMPI_Type_dup", fn(usize, P);
    type_free: c"PMPI_Type_free", fn(P);
    size: c"PMPI_Type_size", fn(usize, P);
    extent: c"PMPI_Type_get_extent", fn(usize, P, P);
    true_extent: c"PMPI_Type_get_true_extent", fn(usize, P, P);
    pack_size: c"PMPI_Pack_size", fn(i32, usize, usize, P);
    test_cancelled: c"PMPI_Test_cancelled", fn(P, P);
    testany: c"PMPI_Testany", fn(i32, P, P, P, P);
    testsome: c"PMPI_Testsome", fn(i32, P, P, P, P);
    iprobe: c"PMPI_Iprobe", fn(i32, i32, usize, P, P);
    improbe: c"PMPI_Improbe", fn(i32, i32, usize, P, P, P);
    add_error_class: c"PMPI_Add_error_class", fn(P);
    add_error_code: c"PMPI_Add_error_code", fn(i32, P);
    add_error_string: c"PMPI_Add_error_string", fn(i32, P);
    comm_idup: c"PMPI_Comm_idup", fn(usize, P, P);
    call_errhandler: c"PMPI_Comm_call_errhandler", fn(usize, i32);
    pack: c"PMPI_Pack", fn(P, i32, usize, P, i32, P, usize);
}

/// The forms for large counts (MPI 4).
struct Large {
    isend: unsafe extern "C-unwind" fn(P, i64, usize, i32, i32, usize, P) -> i32,
    irecv: unsafe extern "C-unwind" fn(P, i64, usize, i32, i32, usize, P) -> i32,
}

impl Large {
    fn load() -> Option<Large> {
        let [isend, irecv] = [library(c"PMPI_Isend_c")?, library(c"PMPI_Irecv_c")?];
        // SAFETY: MPI's signatures; MPI_Count has 64 bits in all three ABIs.
        unsafe {
            Some(Large {
                isend: core::mem::transmute::<
                    usize,
                    unsafe extern "C-unwind" fn(P, i64, usize, i32, i32, usize, P) -> i32,
                >(isend),
                irecv: core::mem::transmute::<
                    usize,
                    unsafe extern "C-unwind" fn(P, i64, usize, i32, i32, usize, P) -> i32,
                >(irecv),
            })
        }
    }
}

/// The address of a variable for an output argument.
fn out<T>(variable: &mut T) -> P {
    (&raw mut *variable).cast()
}

impl Functions {
    /// Whether the library can be given so many elements.
    pub fn takes(&self, count: i64) -> bool {
        i32::try_from(count).is_ok() || self.large.is_some()
    }

    /// Posts a copy in place of what it is a copy of. `request` is where the handle goes.
    pub fn isend(&self, copy: &Copy, send: &Send, request: P) -> i32 {
        let &Send {
            dest, tag, comm, ..
        } = send;
        match (i32::try_from(copy.count), &self.large) {
            // SAFETY: MPI's; the copy lives until the request is complete.
            (Err(_), Some(large)) => unsafe {
                (large.isend)(
                    copy.address(),
                    copy.count,
                    copy.dtype,
                    dest,
                    tag,
                    comm,
                    request,
                )
            },
            // SAFETY: as above.
            (n, _) => unsafe {
                (self.isend)(
                    copy.address(),
                    n.unwrap_or(i32::MAX),
                    copy.dtype,
                    dest,
                    tag,
                    comm,
                    request,
                )
            },
        }
    }

    /// Posts the receiving half of a sendrecv.
    pub fn irecv(&self, receive: &Receive, comm: usize, request: P) -> i32 {
        let &Receive {
            data, source, tag, ..
        } = receive;
        match (i32::try_from(data.count), &self.large) {
            // SAFETY: as the program's own call, which lasts until the request is complete.
            (Err(_), Some(large)) => unsafe {
                (large.irecv)(
                    data.buffer,
                    data.count,
                    data.dtype,
                    source,
                    tag,
                    comm,
                    request,
                )
            },
            // SAFETY: as above.
            (n, _) => unsafe {
                (self.irecv)(
                    data.buffer,
                    n.unwrap_or(i32::MAX),
                    data.dtype,
                    source,
                    tag,
                    comm,
                    request,
                )
            },
        }
    }

    /// `MPI_Test` of a request of ours: error code, and whether it is complete.
    pub fn test(&self, request: &mut usize, status: P) -> (i32, bool) {
        self.test_at(out(request), status)
    }

    /// `MPI_Test` of a request where the program keeps it.
    pub fn test_at(&self, request: P, status: P) -> (i32, bool) {
        let mut flag = 0i32;
        // SAFETY: MPI's.
        let rc = unsafe { (self.test)(request, out(&mut flag), status) };
        (rc, flag != 0)
    }

    /// `MPI_Testall` of the program's requests.
    pub fn testall(&self, n: i32, requests: P, statuses: P) -> (i32, bool) {
        let mut flag = 0i32;
        // SAFETY: the arguments of the program's own MPI_Waitall.
        let rc = unsafe { (self.testall)(n, requests, out(&mut flag), statuses) };
        (rc, flag != 0)
    }

    /// `MPI_Start` of a request where the program keeps it.
    pub fn start(&self, request: P) -> i32 {
        // SAFETY: as the program's own call.
        unsafe { (self.start)(request) }
    }

    /// A duplicate of a type, for a time when the program may have freed its own.
    pub fn duplicate(&self, rank: &Rank, dtype: usize) -> Option<usize> {
        let mut new = 0usize;
        // SAFETY: MPI's; a type that the program is using.
        let rc = unsafe { (self.type_dup)(dtype, out(&mut new)) };
        // SAFETY: a successful call has stored a handle there.
        (rc == SUCCESS).then(|| unsafe { rank.abi.handle_at(out(&mut new), 0) })
    }

    /// Frees a duplicate.
    pub fn free_type(&self, mut dtype: usize) {
        // SAFETY: MPI's; made by [`Functions::duplicate`]. Little-endian: the handle is at the front.
        unsafe { (self.type_free)(out(&mut dtype)) };
    }

    /// Whether a request is complete; it stays as it is.
    pub fn complete(&self, request: usize, ignore: P) -> bool {
        let mut flag = 0i32;
        // SAFETY: MPI's; a live request.
        let rc = unsafe { (self.get_status)(request, out(&mut flag), ignore) };
        rc == SUCCESS && flag != 0
    }

    /// Withdraws a send that nobody will receive.
    pub fn give_up(&self, mut request: usize) {
        // SAFETY: MPI's; a live request of ours.
        unsafe {
            (self.cancel)(out(&mut request));
            (self.free)(out(&mut request));
        }
    }

    /// Asks the library to withdraw an operation.
    pub fn cancel(&self, request: P) {
        // SAFETY: MPI's; the place of a live request.
        unsafe { (self.cancel)(request) };
    }

    /// Whether a status is that of an operation that was withdrawn.
    pub fn cancelled(&self, status: P) -> bool {
        let mut flag = 0i32;
        // SAFETY: MPI's; a status that the library has filled in.
        unsafe { (self.test_cancelled)(status, out(&mut flag)) };
        flag != 0
    }

    /// `MPI_Testany` of the program's requests.
    pub fn testany(&self, n: i32, requests: P, index: P, status: P) -> (i32, bool) {
        let mut flag = 0i32;
        // SAFETY: the arguments of the program's own MPI_Waitany.
        let rc = unsafe { (self.testany)(n, requests, index, out(&mut flag), status) };
        (rc, flag != 0)
    }

    /// `MPI_Testsome` of the program's requests.
    pub fn testsome(&self, n: i32, requests: P, count: P, list: P, statuses: P) -> (i32, bool) {
        // SAFETY: the arguments of the program's own MPI_Waitsome.
        let rc = unsafe { (self.testsome)(n, requests, count, list, statuses) };
        // SAFETY: the program gives room for a number.
        (rc, unsafe { count.cast::<i32>().read_unaligned() } != 0)
    }

    /// `MPI_Iprobe`, or with a place for a message `MPI_Improbe`.
    pub fn probe(
        &self,
        source: i32,
        tag: i32,
        comm: usize,
        message: Option<P>,
        status: P,
    ) -> (i32, bool) {
        let mut flag = 0i32;
        // SAFETY: the arguments of the program's own MPI_Probe or MPI_Mprobe.
        let rc = unsafe {
            match message {
                None => (self.iprobe)(source, tag, comm, out(&mut flag), status),
                Some(message) => (self.improbe)(source, tag, comm, out(&mut flag), message, status),
            }
        };
        (rc, flag != 0)
    }

    /// A new class of errors.
    pub fn add_error_class(&self) -> Option<i32> {
        let mut class = 0i32;
        // SAFETY: MPI's.
        let rc = unsafe { (self.add_error_class)(out(&mut class)) };
        (rc == SUCCESS).then_some(class)
    }

    /// A new error of a class of ours, with its text.
    pub fn add_error_code(&self, class: i32, text: &str) -> Option<i32> {
        let text = std::ffi::CString::new(text).ok()?;
        let mut code = 0i32;
        // SAFETY: MPI's; the library copies the text.
        let rc = unsafe {
            (self.add_error_code)(class, out(&mut code))
                | (self.add_error_string)(code, text.as_ptr().cast_mut().cast())
        };
        (rc == SUCCESS).then_some(code)
    }

    /// `MPI_Comm_idup` of a communicator of the program's.
    pub fn idup(&self, comm: usize, newcomm: P, request: P) -> i32 {
        // SAFETY: MPI's; the places live until the request is complete.
        unsafe { (self.comm_idup)(comm, newcomm, request) }
    }

    /// Hands an error to the handler of a communicator.
    pub fn call_errhandler(&self, comm: usize, code: i32) {
        // SAFETY: MPI's; a communicator of the call that the program is in.
        unsafe { (self.call_errhandler)(comm, code) };
    }

    /// Bytes of an element, if elements are without gaps and begin where they are said to.
    pub fn dense(&self, dtype: usize) -> Option<usize> {
        let (mut size, mut bounds) = (-1i32, [0isize; 4]);
        let [lower, extent, true_lower, true_extent] = &mut bounds;
        // SAFETY: MPI's; a type that the program is using.
        let rc = unsafe {
            (self.size)(dtype, out(&mut size))
                | (self.extent)(dtype, out(lower), out(extent))
                | (self.true_extent)(dtype, out(true_lower), out(true_extent))
        };
        let size = isize::try_from(size).ok().filter(|_| rc == SUCCESS)?;
        (bounds == [0, size, 0, size]).then_some(size.cast_unsigned())
    }

    /// Bytes that a message may take when it is packed.
    pub fn pack_size(&self, send: &Send) -> Option<usize> {
        let count = i32::try_from(send.data.count).ok()?;
        let mut size = -1i32;
        // SAFETY: MPI's.
        let rc = unsafe { (self.pack_size)(count, send.data.dtype, send.comm, out(&mut size)) };
        usize::try_from(size).ok().filter(|_| rc == SUCCESS)
    }

    /// Packs a message into bytes of [`Functions::pack_size`]; how many it took.
    pub fn pack(&self, send: &Send, bytes: &mut [u8]) -> Option<usize> {
        let count = i32::try_from(send.data.count).ok()?;
        let room = i32::try_from(bytes.len()).ok()?;
        let mut position = 0i32;
        // SAFETY: MPI's; the buffer is the program's own send buffer.
        let rc = unsafe {
            (self.pack)(
                send.data.buffer,
                count,
                send.data.dtype,
                bytes.as_mut_ptr().cast(),
                room,
                out(&mut position),
                send.comm,
            )
        };
        usize::try_from(position).ok().filter(|_| rc == SUCCESS)
    }
}
