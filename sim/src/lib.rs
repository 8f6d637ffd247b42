//! Whole nodes on a seed
