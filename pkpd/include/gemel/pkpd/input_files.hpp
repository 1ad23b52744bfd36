#pragma once

#include <gemel/pkpd/population.hpp>

#include <filesystem>
#include <string>
#include <vector>

/// What patients are made from, for who tells it.
namespace gemel::pkpd {

/// A file that went into results.
struct InputFile {
    std::string name; ///< in provenance: "model_toml"
    std::filesystem::path path;
    std::string text;
};

/// Of a model with the files it uses and its genes, a data file if there is one, and a population.
std::vector<InputFile>
input_files(const Model& model, const DataSet* data, const Population& population);

/// What was found in a data file and what its columns were taken for, a line each.
std::string describe_data_set(const DataSet& data, const Model& model);

} // namespace gemel::pkpd
