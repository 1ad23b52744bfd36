#pragma once

#include "solved_block.hpp"

#include <gemel/io/result_file.hpp>
#include <gemel/scenarios/study.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

/// What subjects of a data file are at the times of their own rows: group /samples, one row per
/// observation of the file, in its order.
namespace gemel::scenarios {

/// Outputs that the file's observations name; all of the model where none is named.
std::vector<int> data_outputs(const Study& study);

void declare_data_samples(const Study& study, io::Layout& file);

/// Keeps the values of all arms until the end: as many numbers as the file has observations.
class DataSampleRecorder {
public:
    DataSampleRecorder(const Study& study, std::uint32_t replicate);
    void add(const SolvedBlock& block);
    void write(io::ResultFile& file) const;

    template <class Archive>
    void archive(Archive& a) {
        a(values_, measured_);
    }

private:
    void write_rows(io::ResultFile& file) const;
    void measure(const SolvedBlock& block);

    const Study& study_;
    std::optional<pkpd::PopulationLaws> laws_; ///< of the replicate
    std::vector<int> outputs_;
    std::vector<std::size_t> first_;          ///< [n_subjects + 1] of the samples
    std::vector<std::vector<double>> values_; ///< [n_outputs][n_arms × n_samples]
    std::vector<double> measured_;            ///< [n_arms × n_samples]
};

} // namespace gemel::scenarios
