//! One file per kind of object.
