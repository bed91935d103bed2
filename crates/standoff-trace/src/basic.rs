//! Basic datatypes, as far as messages are compared by them.

use std::fmt;

/// What the elements of a message are: integers or floating-point numbers, of how many bytes. Of a complex number, both parts are elements.
///
/// # What is not told apart
/// Signed and unsigned integers, logicals and characters of one size; C, C++ and Fortran names of one representation. *Unknown*, which differs from
/// nothing, are derived datatypes, `MPI_BYTE`, `MPI_PACKED`, everything of one byte (programs send raw memory so), and pairs of a value and an
/// index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Basic(u8);

impl Basic {
    /// Differs from nothing.
    pub const UNKNOWN: Basic = Basic(0);
    /// Bit of floating-point numbers; the lower ones are the size.
    const FLOAT: u8 = 0x40;
    const SIZE: u8 = 0x3f;

    fn new(kind: u8, size: u32) -> Basic {
        match u8::try_from(size) {
            Ok(size @ 2..=Basic::SIZE) => Basic(kind | size),
            _ => Basic::UNKNOWN,
        }
    }

    /// The predefined datatype of a name (`MPI_INT`) and size in bytes.
    #[must_use]
    pub fn of(name: &[u8], size: u32) -> Basic {
        let Some(name) = name.strip_prefix(b"MPI_") else {
            return Basic::UNKNOWN;
        };
        let fortran = |base: &[u8]| {
            let digits = name.strip_prefix(base);
            digits.is_some_and(|d| d.iter().all(u8::is_ascii_digit))
        };
        match name {
            b"FLOAT" | b"DOUBLE" | b"LONG_DOUBLE" | b"DOUBLE_PRECISION" => {
                Basic::new(Basic::FLOAT, size)
            }
            b"C_COMPLEX"
            | b"C_FLOAT_COMPLEX"
            | b"C_DOUBLE_COMPLEX"
            | b"C_LONG_DOUBLE_COMPLEX"
            | b"CXX_FLOAT_COMPLEX"
            | b"CXX_DOUBLE_COMPLEX"
            | b"CXX_LONG_DOUBLE_COMPLEX"
            | b"DOUBLE_COMPLEX" => Basic::new(Basic::FLOAT, size / 2),
            b"SHORT"
            | b"UNSIGNED_SHORT"
            | b"INT"
            | b"UNSIGNED"
            | b"LONG"
            | b"UNSIGNED_LONG"
            | b"LONG_LONG"
            | b"LONG_LONG_INT"
            | b"UNSIGNED_LONG_LONG"
            | b"WCHAR"
            | b"AINT"
            | b"OFFSET"
            | b"COUNT"
            | b"INT16_T"
            | b"INT32_T"
            | b"INT64_T"
            | b"UINT16_T"
            | b"UINT32_T"
            | b"UINT64_T" => Basic::new(0, size),
            b"2INT" | b"2INTEGER" => Basic::new(0, size / 2),
            b"2REAL" | b"2DOUBLE_PRECISION" => Basic::new(Basic::FLOAT, size / 2),
            _ if fortran(b"REAL") => Basic::new(Basic::FLOAT, size),
            _ if fortran(b"COMPLEX") => Basic::new(Basic::FLOAT, size / 2),
            _ if fortran(b"INTEGER") || fortran(b"LOGICAL") => Basic::new(0, size),
            _ => Basic::UNKNOWN,
        }
    }

    /// Whether both are known, and differ.
    #[must_use]
    pub fn differs(self, other: Basic) -> bool {
        self != Basic::UNKNOWN && other != Basic::UNKNOWN && self != other
    }

    /// Size of an element in bytes; `None`: unknown.
    #[must_use]
    pub fn size(self) -> Option<u64> {
        (self != Basic::UNKNOWN).then_some(u64::from(self.0 & Basic::SIZE))
    }

    /// As a byte; 0: unknown.
    #[must_use]
    pub fn byte(self) -> u8 {
        self.0
    }

    /// From its byte.
    #[must_use]
    pub fn from_byte(byte: u8) -> Option<Basic> {
        match byte {
            0 => Some(Basic::UNKNOWN),
            _ => Some(Basic::new(
                byte & Basic::FLOAT,
                u32::from(byte & Basic::SIZE),
            ))
            .filter(|basic| basic.0 == byte),
        }
    }
}

/// `integer of 4 bytes`; `integers of 4 bytes` with `{:#}`.
impl fmt::Display for Basic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = if f.alternate() { "s" } else { "" };
        match self.size() {
            None => write!(f, "element{s} of unknown type"),
            Some(size) if self.0 & Basic::FLOAT == 0 => write!(f, "integer{s} of {size} bytes"),
            Some(size) => write!(f, "floating-point number{s} of {size} bytes"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_representation_is_one_type() {
        let basic = |name: &str, size| Basic::of(name.as_bytes(), size);
        let int = basic("MPI_INT", 4);
        for same in [
            "MPI_INT32_T",
            "MPI_UNSIGNED",
            "MPI_INTEGER",
            "MPI_INTEGER4",
            "MPI_LOGICAL",
        ] {
            assert_eq!(basic(same, 4), int, "{same}");
        }
        let double = basic("MPI_DOUBLE", 8);
        for same in ["MPI_DOUBLE_PRECISION", "MPI_REAL8"] {
            assert_eq!(basic(same, 8), double, "{same}");
        }
        assert_eq!(basic("MPI_DOUBLE_COMPLEX", 16), double);
        assert_eq!(basic("MPI_COMPLEX16", 16), double);
        assert!(int.differs(double) && int.differs(basic("MPI_LONG", 8)));
        assert!(int.differs(basic("MPI_FLOAT", 4)));
        assert_eq!(
            format!("{int}, {double:#}"),
            "integer of 4 bytes, floating-point numbers of 8 bytes"
        );
    }

    #[test]
    fn what_may_be_anything_differs_from_nothing() {
        let double = Basic::of(b"MPI_DOUBLE", 8);
        for (name, size) in [
            ("MPI_BYTE", 1),
            ("MPI_PACKED", 1),
            ("MPI_CHAR", 1),
            ("MPI_UINT8_T", 1),
            ("MPI_FLOAT_INT", 8),
            ("MPI_REALLY", 8),
            ("a type of the program's", 8),
            ("", 8),
        ] {
            let basic = Basic::of(name.as_bytes(), size);
            assert!(!basic.differs(double) && !double.differs(basic), "{name}");
        }
    }

    #[test]
    fn bytes_stand_for_themselves() {
        for byte in 0..=u8::MAX {
            if let Some(basic) = Basic::from_byte(byte) {
                assert_eq!(basic.byte(), byte);
            }
        }
        let known = (0..=u8::MAX)
            .filter(|&b| Basic::from_byte(b).is_some())
            .count();
        assert_eq!(known, 1 + 2 * 62);
    }
}
