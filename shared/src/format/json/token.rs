//! JSON's tokens out of a stream that comes in pieces: strings go through as they come, everything else is short.

use crate::base::{Error, Kind, Result};

/// Most containers within each other.
const DEPTH: usize = 64;

/// Longest number, bytes: a numeric has up to 131,072 digits before and 16,383 after the point.
const NUMBER: usize = 150_000;

/// A token. A string is `Begin`, `Bytes` any number of times, `End`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Token<'a> {
    ObjectBegin,
    ObjectEnd,
    ArrayBegin,
    ArrayEnd,
    /// `key` where it names a member.
    StringBegin {
        key: bool,
    },
    StringBytes(&'a [u8]),
    StringEnd,
    Number(&'a [u8]),
    True,
    False,
    Null,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expect {
    Value,
    /// A value, or the end of the array that has just begun.
    ValueOrEnd,
    Key,
    /// A key, or the end of the object that has just begun.
    KeyOrEnd,
    Colon,
    CommaOrEnd,
    Nothing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum In {
    Between,
    String,
    Escape,
    /// Digits of `\u` so far, and their value.
    Unicode(u8, u16),
    Number,
    Word,
}

/// The tokenizer. Strict: RFC 8259, and UTF-8.
#[derive(Debug)]
pub(super) struct Tokens {
    expect: Expect,
    /// True for objects.
    open: Vec<bool>,
    at: In,
    key: bool,
    /// A number or a word so far.
    short: Vec<u8>,
    /// Bytes before it.
    short_at: u64,
    /// The first half of a surrogate pair.
    high: Option<u16>,
    /// Bytes of a character that the last piece broke off in.
    tail: Vec<u8>,
    /// Bytes before this piece.
    before: u64,
}

impl Tokens {
    pub(super) fn new() -> Self {
        Self {
            expect: Expect::Value,
            open: Vec::new(),
            at: In::Between,
            key: false,
            short: Vec::new(),
            short_at: 0,
            high: None,
            tail: Vec::new(),
            before: 0,
        }
    }

    /// Hands the tokens of the next piece to `take`.
    ///
    /// # Errors
    /// [`Kind::Corrupt`] with the byte where it is no JSON; those of `take`.
    pub(super) fn push(
        &mut self,
        input: &[u8],
        take: &mut impl FnMut(Token<'_>) -> Result<()>,
    ) -> Result<()> {
        self.text(input)?;
        let mut at = 0;
        while at < input.len() {
            at += self.step(&input[at..], at, take)?;
        }
        self.before += input.len() as u64;
        Ok(())
    }

    /// # Errors
    /// [`Kind::Corrupt`] when the document is not over.
    pub(super) fn finish(&self) -> Result<()> {
        match self.expect {
            Expect::Nothing if self.at == In::Between => Ok(()),
            _ => Err(self.damaged(0, "it breaks off")),
        }
    }

    fn step(
        &mut self,
        rest: &[u8],
        at: usize,
        take: &mut impl FnMut(Token<'_>) -> Result<()>,
    ) -> Result<usize> {
        let byte = rest[0];
        match self.at {
            In::Between => {
                if matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                    return Ok(1);
                }
                self.between(byte, at, take)?;
                // The first byte of a number or a word is one of it.
                let short = matches!(self.at, In::Number | In::Word);
                if short {
                    self.short_at = self.before + at as u64;
                }
                Ok(usize::from(!short))
            }
            In::String => {
                let plain = rest.iter().position(|b| matches!(b, b'"' | b'\\' | 0..=0x1f));
                let plain = plain.unwrap_or(rest.len());
                if plain > 0 {
                    self.no_half(at)?;
                    take(Token::StringBytes(&rest[..plain]))?;
                    return Ok(plain);
                }
                match byte {
                    b'"' => {
                        self.no_half(at)?;
                        self.at = In::Between;
                        self.expect = if self.key { Expect::Colon } else { self.after() };
                        take(Token::StringEnd)?;
                    }
                    b'\\' => self.at = In::Escape,
                    _ => return Err(self.damaged(at, "a control character stands in a string")),
                }
                Ok(1)
            }
            In::Escape => {
                let plain = match byte {
                    b'u' => {
                        self.at = In::Unicode(0, 0);
                        return Ok(1);
                    }
                    b'"' | b'\\' | b'/' => byte,
                    b'b' => 8,
                    b'f' => 12,
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    _ => return Err(self.damaged(at, "JSON has no such escape")),
                };
                self.no_half(at)?;
                self.at = In::String;
                take(Token::StringBytes(&[plain]))?;
                Ok(1)
            }
            In::Unicode(digits, value) => {
                let digit = (byte as char)
                    .to_digit(16)
                    .and_then(|d| u16::try_from(d).ok())
                    .ok_or_else(|| self.damaged(at, "\\u has four hex digits"))?;
                let value = value << 4 | digit;
                self.at = In::Unicode(digits + 1, value);
                if digits == 3 {
                    self.at = In::String;
                    self.unit(value, at, take)?;
                }
                Ok(1)
            }
            In::Number | In::Word => {
                let is_of = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.');
                let end = rest.iter().position(|b| !is_of(b));
                self.short.extend_from_slice(&rest[..end.unwrap_or(rest.len())]);
                if self.short.len() > NUMBER {
                    return Err(damaged(self.short_at, "a number is too long"));
                }
                if end.is_some() {
                    self.end_short(take)?;
                }
                Ok(end.unwrap_or(rest.len()))
            }
        }
    }

    fn between(&mut self, byte: u8, at: usize, take: &mut impl FnMut(Token<'_>) -> Result<()>) -> Result<()> {
        let key = matches!(self.expect, Expect::Key | Expect::KeyOrEnd);
        let value = matches!(self.expect, Expect::Value | Expect::ValueOrEnd);
        match byte {
            b'"' if key || value => {
                (self.at, self.key) = (In::String, key);
                take(Token::StringBegin { key })
            }
            b'{' | b'[' if value => {
                if self.open.len() == DEPTH {
                    return Err(self.damaged(at, "it is nested too deeply"));
                }
                let object = byte == b'{';
                self.open.push(object);
                self.expect = if object { Expect::KeyOrEnd } else { Expect::ValueOrEnd };
                take(if object { Token::ObjectBegin } else { Token::ArrayBegin })
            }
            b'}' if matches!(self.expect, Expect::KeyOrEnd | Expect::CommaOrEnd)
                && self.open.last() == Some(&true) =>
            {
                self.open.pop();
                self.expect = self.after();
                take(Token::ObjectEnd)
            }
            b']' if matches!(self.expect, Expect::ValueOrEnd | Expect::CommaOrEnd)
                && self.open.last() == Some(&false) =>
            {
                self.open.pop();
                self.expect = self.after();
                take(Token::ArrayEnd)
            }
            b':' if self.expect == Expect::Colon => {
                self.expect = Expect::Value;
                Ok(())
            }
            b',' if self.expect == Expect::CommaOrEnd => {
                let object = self.open.last() == Some(&true);
                self.expect = if object { Expect::Key } else { Expect::Value };
                Ok(())
            }
            b'-' | b'0'..=b'9' if value => {
                self.at = In::Number;
                Ok(())
            }
            b't' | b'f' | b'n' if value => {
                self.at = In::Word;
                Ok(())
            }
            _ => Err(self.damaged(at, "this character cannot stand there")),
        }
    }

    fn after(&self) -> Expect {
        if self.open.is_empty() { Expect::Nothing } else { Expect::CommaOrEnd }
    }

    fn end_short(&mut self, take: &mut impl FnMut(Token<'_>) -> Result<()>) -> Result<()> {
        let short = std::mem::take(&mut self.short);
        let number = self.at == In::Number;
        self.at = In::Between;
        self.expect = self.after();
        match short.as_slice() {
            b"true" => take(Token::True),
            b"false" => take(Token::False),
            b"null" => take(Token::Null),
            digits if number && is_number(digits) => take(Token::Number(digits)),
            _ => Err(damaged(self.short_at, "it is neither a number nor true, false or null")),
        }
    }

    /// One UTF-16 unit of an escape.
    fn unit(&mut self, unit: u16, at: usize, take: &mut impl FnMut(Token<'_>) -> Result<()>) -> Result<()> {
        let units: Vec<u16> = self.high.take().into_iter().chain([unit]).collect();
        if units.len() == 1 && (0xd800..0xdc00).contains(&unit) {
            self.high = Some(unit);
            return Ok(());
        }
        match String::from_utf16(&units) {
            Ok(text) if unit != 0 => take(Token::StringBytes(text.as_bytes())),
            _ => Err(self.damaged(at, "\\u stands for no character that PostgreSQL's text can hold")),
        }
    }

    fn no_half(&self, at: usize) -> Result<()> {
        match self.high {
            None => Ok(()),
            Some(_) => Err(self.damaged(at, "half of a surrogate pair stands alone")),
        }
    }

    /// Checks that it is UTF-8.
    fn text(&mut self, input: &[u8]) -> Result<()> {
        let mut rest = input;
        while !self.tail.is_empty() {
            let Some((&byte, later)) = rest.split_first() else { return Ok(()) };
            self.tail.push(byte);
            rest = later;
            match std::str::from_utf8(&self.tail) {
                Ok(_) => self.tail.clear(),
                Err(e) if e.error_len().is_none() => {}
                Err(_) => return Err(self.damaged(0, "it is not UTF-8")),
            }
        }
        match std::str::from_utf8(rest) {
            Ok(_) => Ok(()),
            Err(e) if e.error_len().is_none() => {
                self.tail.extend_from_slice(&rest[e.valid_up_to()..]);
                Ok(())
            }
            Err(e) => Err(self.damaged(input.len() - rest.len() + e.valid_up_to(), "it is not UTF-8")),
        }
    }

    pub(super) fn damaged(&self, at: usize, why: &str) -> Error {
        damaged(self.before + at as u64, why)
    }
}

/// After so many bytes.
fn damaged(before: u64, why: &str) -> Error {
    Error::new(Kind::Corrupt, format!("the document is damaged at byte {}: {why}", before + 1))
}

/// RFC 8259, section 6.
fn is_number(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let digits = |text: &[u8]| text.iter().take_while(|b| b.is_ascii_digit()).count();
    let whole = digits(text);
    if whole == 0 || (text[0] == b'0' && whole > 1) {
        return false;
    }
    let mut rest = &text[whole..];
    if let Some(fraction) = rest.strip_prefix(b".") {
        let n = digits(fraction);
        if n == 0 {
            return false;
        }
        rest = &fraction[n..];
    }
    let Some(exponent) = rest.strip_prefix(b"e").or_else(|| rest.strip_prefix(b"E")) else {
        return rest.is_empty();
    };
    let exponent = exponent.strip_prefix(b"+").or_else(|| exponent.strip_prefix(b"-")).unwrap_or(exponent);
    !exponent.is_empty() && digits(exponent) == exponent.len()
}
