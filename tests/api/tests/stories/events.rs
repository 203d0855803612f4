//! Every file in `events/` is what AWS really sends, and the function that it is for takes it.
