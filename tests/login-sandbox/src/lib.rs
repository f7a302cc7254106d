//! A private login host for end-to-end tests.
