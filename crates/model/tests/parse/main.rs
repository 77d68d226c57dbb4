//! Reading Keras models, through the public interface and without any file.

mod graphs;
mod hostile;
mod keras;
mod layers;
mod nested;
mod spatial;
