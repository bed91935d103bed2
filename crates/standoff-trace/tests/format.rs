//! What is written is read again; whatever else is read does no harm.

use std::borrow::Cow;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use standoff_trace::event::*;
use standoff_trace::{
    Basic, Event, HEADER_BYTES, Header, ROOM, RankTrace, ReadError, Reader, Record, Trace, Writer,
};

fn request() -> impl Strategy<Value = RequestId> {
    prop_oneof![0..200_u64, any::<u64>()].prop_map(RequestId)
}

fn matched() -> impl Strategy<Value = Matched> {
    (any::<u32>(), any::<i32>()).prop_map(|(source, tag)| Matched {
        source: CommRank(source),
        tag,
    })
}

fn source() -> impl Strategy<Value = Source> {
    prop_oneof![
        Just(Source::Any),
        any::<u32>().prop_map(|r| Source::Rank(CommRank(r)))
    ]
}

fn tag() -> impl Strategy<Value = TagPattern> {
    prop_oneof![
        Just(TagPattern::Any),
        any::<i32>().prop_map(TagPattern::Tag)
    ]
}

/// Bytes, and what they are.
fn size() -> impl Strategy<Value = (u64, Basic)> {
    let basic = any::<u8>().prop_map(|byte| Basic::from_byte(byte).unwrap_or_default());
    (any::<u64>(), basic)
}

fn comm() -> impl Strategy<Value = CommIndex> {
    any::<u32>().prop_map(CommIndex)
}

fn send() -> impl Strategy<Value = Send> {
    let modes = [
        SendMode::Standard,
        SendMode::Buffered,
        SendMode::Synchronous,
        SendMode::Ready,
    ];
    (
        comm(),
        any::<u32>(),
        any::<i32>(),
        0..4_usize,
        size(),
        option::of(request()),
        any::<bool>(),
    )
        .prop_map(
            move |(comm, to, tag, mode, (bytes, basic), request, persistent)| Send {
                comm,
                to: CommRank(to),
                tag,
                mode: modes[mode],
                bytes,
                basic,
                request,
                persistent,
            },
        )
}

fn recv() -> impl Strategy<Value = Recv> {
    (
        comm(),
        source(),
        tag(),
        size(),
        option::of(request()),
        any::<bool>(),
        option::of(matched()),
    )
        .prop_map(
            |(comm, from, tag, (bytes, basic), request, persistent, told)| Recv {
                comm,
                from,
                tag,
                bytes,
                basic,
                request,
                persistent,
                told,
            },
        )
}

fn group() -> impl Strategy<Value = Group<'static>> {
    prop_oneof![
        (any::<u32>(), any::<i32>(), any::<u32>())
            .prop_map(|(first, stride, len)| Group::Strided { first, stride, len }),
        vec(any::<u32>().prop_map(WorldRank), 0..200)
            .prop_map(|list| Group::List(Cow::Owned(list))),
    ]
}

fn text() -> impl Strategy<Value = Cow<'static, str>> {
    ".{0,60}".prop_map(Cow::Owned)
}

const COMPLETIONS: [Completion; 8] = {
    use Completion as C;
    [
        C::Wait,
        C::Waitall,
        C::Waitany,
        C::Waitsome,
        C::Test,
        C::Testall,
        C::Testany,
        C::Testsome,
    ]
};

fn complete() -> impl Strategy<Value = Event<'static>> {
    vec(request(), 1..80).prop_flat_map(move |requests| {
        let at = 0..requests.len() as u32;
        let told = prop_oneof![
            Just(Told::None),
            vec((at.clone(), matched()), 0..20).prop_map(|list| Told::All(Cow::Owned(list))),
            vec((at, option::of(matched())), 0..20).prop_map(|list| Told::Some(Cow::Owned(list))),
        ];
        (Just(requests), told, 0..8_usize).prop_map(|(requests, told, call)| Event::Complete {
            call: COMPLETIONS[call],
            requests: Cow::Owned(requests),
            told,
        })
    })
}

fn collective() -> impl Strategy<Value = Event<'static>> {
    let root = prop_oneof![
        Just(Root::None),
        Just(Root::Me),
        Just(Root::Null),
        any::<u32>().prop_map(|rank| Root::Rank(CommRank(rank)))
    ];
    let signature = (any::<u32>(), size()).prop_map(|(reduction, (bytes, basic))| Signature {
        reduction,
        basic,
        bytes,
    });
    let kind = 0..CollectiveKind::ALL.len();
    (
        comm(),
        kind,
        (any::<u64>(), option::of(any::<u64>())),
        root,
        0..3_usize,
        option::of(request()),
        option::of(group()),
        option::of(signature),
    )
        .prop_map(
            |(comm, kind, (seq, start), root, flow, request, members, signature)| {
                let flow = [Flow::Data, Flow::Nothing, Flow::Unknown][flow];
                let kind = CollectiveKind::ALL[kind];
                Event::Collective(Collective {
                    comm,
                    kind,
                    seq,
                    start,
                    root,
                    flow,
                    request,
                    members,
                    signature,
                })
            },
        )
}

fn probe() -> impl Strategy<Value = Event<'static>> {
    (
        comm(),
        source(),
        tag(),
        any::<bool>(),
        option::of(matched()),
        option::of(any::<u64>()),
    )
        .prop_map(|(comm, from, tag, poll, told, message)| Event::Probe {
            comm,
            from,
            tag,
            poll,
            told,
            message: message.map(MessageId),
        })
}

fn mrecv() -> impl Strategy<Value = Event<'static>> {
    (any::<u64>(), option::of(request())).prop_map(|(message, request)| Event::Mrecv {
        message: MessageId(message),
        request,
    })
}

fn event() -> impl Strategy<Value = Event<'static>> {
    let script =
        (any::<u32>(), text(), any::<u32>(), text()).prop_map(|(id, file, line, function)| {
            Event::Site {
                id: SiteId(id),
                place: Place::Script {
                    file,
                    line,
                    function,
                },
            }
        });
    let comms = (
        comm(),
        any::<u64>(),
        text(),
        group(),
        option::of(group()),
        option::of(vec(any::<u32>(), 0..9)),
    );
    prop_oneof![
        send().prop_map(Event::Send),
        recv().prop_map(Event::Recv),
        (send(), recv()).prop_map(|(send, recv)| Event::Sendrecv { send, recv }),
        complete(),
        collective(),
        probe(),
        mrecv(),
        request().prop_map(Event::Cancel),
        request().prop_map(Event::RequestFree),
        any::<u64>().prop_map(|bytes| Event::Buffer { bytes }),
        (0..4_u8).prop_map(|level| Event::Init { level }),
        Just(Event::Finalize),
        (text(), any::<bool>()).prop_map(|(name, acts)| Event::Unmodelled { name, acts }),
        (any::<u32>(), any::<u64>()).prop_map(|(id, at)| Event::Site {
            id: SiteId(id),
            place: Place::Native(at)
        }),
        script,
        comms.prop_map(|(index, id, name, group, remote, sources)| Event::Comm {
            index,
            id: CommId(id),
            name,
            group,
            remote,
            sources: sources.map(|list| Cow::Owned(list.into_iter().map(CommRank).collect())),
        }),
    ]
}

/// What has a quicker way to be written.
fn short() -> impl Strategy<Value = Event<'static>> {
    let completed =
        (0..8_usize, request(), option::of(matched())).prop_map(|(call, request, told)| {
            Event::Complete {
                call: COMPLETIONS[call],
                requests: Cow::Owned(vec![request]),
                told: Told::All(told.map(|told| (0, told)).into_iter().collect()),
            }
        });
    prop_oneof![
        send().prop_map(Event::Send),
        recv().prop_map(Event::Recv),
        probe(),
        mrecv(),
        completed
    ]
}

fn records() -> impl Strategy<Value = Vec<Record<'static>>> {
    let record = (0..3_u16, any::<u32>(), event()).prop_map(|(thread, site, event)| Record {
        thread,
        site: SiteId(site),
        event,
    });
    vec(record, 0..12)
}

fn write(records: &[Record<'_>]) -> (Vec<u8>, Vec<usize>) {
    let (mut writer, mut bytes, mut ends) = (Writer::default(), Vec::new(), vec![0]);
    let mut memory = vec![0; 1 << 14];
    for record in records {
        let used = writer
            .write(&mut memory, record)
            .expect("room for the record");
        bytes.extend_from_slice(&memory[..used]);
        ends.push(bytes.len());
    }
    (bytes, ends)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read(records in records(), zeros in 0..3_usize) {
        let (mut bytes, _) = write(&records);
        bytes.resize(bytes.len() + zeros, 0);
        let read: Vec<_> = Reader::records(&bytes).collect::<Result<_, _>>()?;
        prop_assert_eq!(read, records);
    }

    #[test]
    fn the_quicker_ways_write_the_same(records in vec((any::<u16>(), any::<u32>(), short()), 1..12)) {
        let (mut writer, mut quick) = (Writer::default(), Writer::default());
        for (thread, site, event) in records {
            let site = SiteId(site);
            let (mut memory, mut room) = ([0; ROOM], [0; ROOM]);
            let used = writer.put(&mut memory, thread, site, &event).expect("room for the record");
            let quickly = match event {
                Event::Send(send) => quick.put_send(&mut room, thread, site, &send),
                Event::Recv(recv) => quick.put_recv(&mut room, thread, site, &recv),
                Event::Probe { comm, from, tag, poll, told, message } => {
                    quick.put_probe(&mut room, thread, site, comm, (from, tag), poll, told, message)
                }
                Event::Mrecv { message, request } => {
                    quick.put_mrecv(&mut room, thread, site, message, request)
                }
                Event::Complete { call, requests, told: Told::All(told) } => {
                    let told = told.first().map(|told| told.1);
                    quick.put_completed(&mut room, thread, site, call, requests[0], told)
                }
                _ => unreachable!(),
            };
            prop_assert_eq!(quickly, used);
            prop_assert_eq!(room, memory);
            prop_assert_eq!(&quick, &writer);
        }
    }

    #[test]
    fn a_truncated_file_is_read_up_to_the_last_whole_record(records in records(), at in any::<prop::sample::Index>()) {
        let (bytes, ends) = write(&records);
        let cut = at.index(bytes.len() + 1);
        let whole = ends.iter().filter(|&&end| end <= cut).count() - 1;
        let read: Vec<_> = Reader::records(&bytes[..cut]).collect::<Result<_, _>>()?;
        prop_assert_eq!(&read[..], &records[..whole]);
    }

    #[test]
    fn a_record_that_does_not_fit_leaves_the_writer_as_it_was(records in records(), room in 0..64_usize) {
        let (mut writer, mut memory) = (Writer::default(), vec![0; 1 << 14]);
        for record in &records {
            let before = writer.clone();
            if writer.write(&mut vec![0; room], record).is_err() {
                prop_assert_eq!(&writer, &before);
                prop_assert!(writer.write(&mut memory, record).is_ok());
            }
        }
    }

    #[test]
    fn damage_is_an_error_or_other_records_and_never_a_panic(
        records in records(), damage in vec((any::<prop::sample::Index>(), any::<u8>()), 1..5)
    ) {
        let (mut bytes, _) = write(&records);
        for (at, byte) in damage {
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
        }
        let _ = Reader::records(&bytes).collect::<Vec<_>>();
    }

    #[test]
    fn noise_is_never_a_panic(bytes in vec(any::<u8>(), 0..300)) {
        let _ = Reader::records(&bytes).collect::<Vec<_>>();
        let _ = RankTrace::from_bytes(&bytes);
    }
}

#[test]
fn heads_are_checked() {
    let header = Header {
        rank: 1,
        world_size: 2,
        world_key: 77,
    };
    let mut bytes = header.to_bytes();
    assert_eq!(Header::from_bytes(&bytes), Ok(header));
    assert_eq!(
        Header::from_bytes(&bytes[..HEADER_BYTES - 1]),
        Err(ReadError::NotATrace)
    );
    bytes[8] = 9;
    assert_eq!(Header::from_bytes(&bytes), Err(ReadError::Version(9)));
    bytes[0] = 0;
    assert_eq!(Header::from_bytes(&bytes), Err(ReadError::NotATrace));
    let outside = Header { rank: 2, ..header };
    assert_eq!(
        Header::from_bytes(&outside.to_bytes()),
        Err(ReadError::Rank {
            rank: 2,
            world_size: 2
        })
    );
}

#[test]
fn a_job_needs_all_its_ranks() {
    let rank = |rank, world_key| RankTrace {
        header: Header {
            rank,
            world_size: 2,
            world_key,
        },
        records: vec![],
    };
    assert!(Trace::new(vec![rank(1, 7), rank(0, 7)]).is_ok_and(|t| t.ranks[1].header.rank == 1));
    assert_eq!(Trace::new(vec![rank(0, 7)]), Err(ReadError::Job));
    assert_eq!(
        Trace::new(vec![rank(0, 7), rank(0, 7)]),
        Err(ReadError::Job)
    );
    assert_eq!(
        Trace::new(vec![rank(0, 7), rank(1, 8)]),
        Err(ReadError::Job)
    );
    assert_eq!(Trace::new(vec![]), Err(ReadError::Job));
}

#[test]
fn a_record_without_lists_fits_in_96_bytes() {
    let send = Send {
        comm: CommIndex(u32::MAX),
        to: CommRank(u32::MAX),
        tag: i32::MIN,
        mode: SendMode::Ready,
        bytes: u64::MAX,
        basic: Basic::of(b"MPI_DOUBLE", 8),
        request: Some(RequestId(1 << 63)),
        persistent: true,
    };
    let matched = Matched {
        source: CommRank(u32::MAX),
        tag: i32::MIN,
    };
    let recv = Recv {
        comm: send.comm,
        from: Source::Rank(send.to),
        tag: TagPattern::Tag(i32::MIN),
        bytes: u64::MAX,
        basic: Basic::of(b"MPI_DOUBLE", 8),
        request: Some(RequestId(5)),
        persistent: true,
        told: Some(matched),
    };
    let event = Event::Sendrecv { send, recv };
    let record = Record {
        thread: u16::MAX,
        site: SiteId(u32::MAX),
        event,
    };
    assert!(Writer::default().write(&mut [0; 96], &record).is_ok());
}
