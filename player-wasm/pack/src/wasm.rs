//! Reads the import section of a WebAssembly module (core specification, §5.5.5).

use std::fmt;

/// Refuses a module that imports from anywhere but its own glue. Anything else would have to be found by the page: `env`
/// is what a C library or a clock left in by mistake imports from.
pub(crate) fn check_imports(module: &[u8], name: &str) -> Result<(), Error> {
    let own = format!("./{name}_bg.js");
    let foreign: Vec<String> = imports(module)?
        .into_iter()
        .filter(|(from, _)| *from != own)
        .map(|(from, name)| format!("{from}.{name}"))
        .collect();
    if foreign.is_empty() { Ok(()) } else { Err(Error::Foreign(foreign)) }
}

/// Module and name of every import.
fn imports(module: &[u8]) -> Result<Vec<(String, String)>, Error> {
    let mut r = Reader(module.strip_prefix(b"\0asm\x01\0\0\0").ok_or(Error::NotWasm)?);
    while !r.0.is_empty() {
        let id = r.byte()?;
        let size = r.number()?;
        let mut section = Reader(r.take(size)?);
        if id == 2 {
            let count = section.number()?;
            return (0..count).map(|_| section.import()).collect();
        }
    }
    Ok(vec![])
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8], Error> {
        let (taken, rest) = self.0.split_at_checked(n).ok_or(Error::NotWasm)?;
        self.0 = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, Error> {
        Ok(self.take(1)?[0])
    }

    /// Unsigned LEB128, §5.2.2.
    fn number(&mut self) -> Result<usize, Error> {
        let mut n = 0;
        for shift in (0..35).step_by(7) {
            let byte = self.byte()?;
            n |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(n);
            }
        }
        Err(Error::NotWasm)
    }

    fn name(&mut self) -> Result<String, Error> {
        let len = self.number()?;
        String::from_utf8(self.take(len)?.to_vec()).map_err(|_| Error::NotWasm)
    }

    fn limits(&mut self) -> Result<(), Error> {
        let flags = self.number()?;
        self.number()?;
        if flags & 1 == 1 {
            self.number()?;
        }
        Ok(())
    }

    fn import(&mut self) -> Result<(String, String), Error> {
        let names = (self.name()?, self.name()?);
        match self.byte()? {
            0 => drop(self.number()?),
            1 => {
                self.byte()?;
                self.limits()?;
            }
            2 => self.limits()?,
            3 => drop(self.take(2)?),
            4 => {
                self.byte()?;
                self.number()?;
            }
            _ => return Err(Error::NotWasm),
        }
        Ok(names)
    }
}

/// Why a module is refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Error {
    NotWasm,
    Foreign(Vec<String>),
}

impl std::error::Error for Error {}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotWasm => f.write_str("the compiler's output does not read as a WebAssembly module"),
            Self::Foreign(names) => {
                write!(f, "the module imports what no browser has: {}", names.join(", "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One function type and one function import.
    fn module(from: &str) -> Vec<u8> {
        let mut section = vec![1, from.len() as u8];
        section.extend(from.as_bytes());
        section.extend([3, b'n', b'o', b'w', 0, 0]);
        let mut module = b"\0asm\x01\0\0\0\x01\x04\x01\x60\x00\x00".to_vec();
        module.extend([2, section.len() as u8]);
        module.extend(section);
        module
    }

    #[test]
    fn an_import_from_env_is_named() {
        assert_eq!(check_imports(&module("./live_bg.js"), "live"), Ok(()));
        assert_eq!(check_imports(&module("env"), "live"), Err(Error::Foreign(vec!["env.now".into()])));
    }

    #[test]
    fn a_module_cut_anywhere_is_refused_or_has_no_imports() {
        let whole = module("env");
        for end in 0..whole.len() {
            let cut = check_imports(&whole[..end], "live");
            // After the type section the module is whole, without imports.
            assert_eq!(cut, if end == 8 || end == 14 { Ok(()) } else { Err(Error::NotWasm) }, "{end}");
        }
    }
}
