#pragma once

#include "solved_block.hpp"

#include <gemel/io/result_file.hpp>
#include <gemel/pkpd/residual.hpp>
#include <gemel/scenarios/study.hpp>

#include <vector>

/// What is measured: the group `samples` of the result file.
namespace gemel::scenarios {

/// For each sampled output an axis `sample_OUTPUT` of its times, and by arm and subject
/// `samples/OUTPUT`, what was measured; `samples/OUTPUT_value`, the model's value; and with a limit
/// of quantification `samples/OUTPUT_censored`.
void declare_samples(const Study& study, io::Layout& file);

/// "samples/Cp"
std::string sample_path(const Samples& samples);

/// Turns values of the model into measurements and writes them.
class SampleWriter {
public:
    SampleWriter(const Study& study, std::uint32_t replicate);

    /// @param first  of the samples' outputs among BlockResult::sampled
    void write(const SolvedBlock& block, std::size_t first, io::ResultFile& file) const;

private:
    std::vector<double> values(const SolvedBlock& block, std::size_t first) const;

    const Study& study_;
    pkpd::ResidualLaw law_; ///< of all samples of a subject, output after output
};

} // namespace gemel::scenarios
