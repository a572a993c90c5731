//! Room: archive.
