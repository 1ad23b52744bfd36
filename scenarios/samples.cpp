#include "samples.hpp"

#include <gemel/sim/random.hpp>

#include <fmt/format.h>

#include <numeric>

namespace gemel::scenarios {

namespace {

const sim::NamedExpr& output_of(const Study& study, const Samples& samples) {
    const int index = study.model->find_output(samples.output);
    return study.model->system.outputs[static_cast<std::size_t>(index)];
}

std::string axis_of(const Samples& samples) {
    return "sample_" + samples.output;
}

std::vector<pkpd::ResidualSample> schedule_of(const Study& study) {
    std::vector<pkpd::ResidualSample> schedule;
    for (const Samples& samples : study.samples)
        for (const double time : samples.times)
            schedule.push_back({study.model->find_output(samples.output), time});
    return schedule;
}

void declare_output(const Study& study, const Samples& samples, io::Layout& file) {
    const sim::NamedExpr& output = output_of(study, samples);
    const std::vector<std::string> axes{"arm", "subject", axis_of(samples)};
    const std::string path = sample_path(samples);
    file.add(io::Axis{axis_of(samples),
                      fmt::format("times at which {} is measured", samples.output),
                      study.model->system.time_unit.text,
                      samples.times,
                      {},
                      {}});
    io::Variable measured{path, io::ValueType::real, axes, output.unit.text, {}, {}, {}};
    measured.long_name = output.label + ", measured";
    if (samples.limits.has_lower())
        measured.attributes.push_back({"lloq", fmt::format("{:.17g}", samples.limits.lower)});
    if (samples.limits.has_upper())
        measured.attributes.push_back({"uloq", fmt::format("{:.17g}", samples.limits.upper)});
    file.add(measured);
    file.add({path + "_value",
              io::ValueType::real,
              axes,
              output.unit.text,
              output.label + ", value of the model",
              {},
              {}});
    if (!samples.is_limited()) return;
    std::vector<std::string> meanings{"quantified", "below_limit"};
    if (samples.limits.has_upper()) meanings.emplace_back("above_limit");
    file.add({path + "_censored",
              io::ValueType::category,
              axes,
              "1",
              "whether the limit of quantification stands for what was measured",
              meanings,
              {}});
}

} // namespace

std::string sample_path(const Samples& samples) {
    return "samples/" + samples.output;
}

void declare_samples(const Study& study, io::Layout& file) {
    for (const Samples& samples : study.samples)
        declare_output(study, samples, file);
}

namespace {

pkpd::ResidualLaw law_of(const Study& study, std::uint32_t replicate) {
    const auto laws = study.population.laws_of(replicate);
    return {*study.model, schedule_of(study), laws ? &*laws : nullptr};
}

} // namespace

SampleWriter::SampleWriter(const Study& study, std::uint32_t replicate)
    : study_(study),
      law_(law_of(study, replicate)) {}

/// Values of the model at all samples, [n_samples × n_subjects].
std::vector<double> SampleWriter::values(const SolvedBlock& block, std::size_t first) const {
    const std::size_t n = block.n_subjects();
    std::vector<double> columns;
    for (std::size_t i = 0; i < study_.samples.size(); ++i) {
        const std::vector<double>& rows = block.result.sampled[first + i];
        const std::size_t n_times = study_.samples[i].times.size();
        for (std::size_t k = 0; k < n_times; ++k)
            for (std::size_t s = 0; s < n; ++s)
                columns.push_back(rows[s * n_times + k]);
    }
    return columns;
}

void SampleWriter::write(const SolvedBlock& block, std::size_t first, io::ResultFile& file) const {
    if (study_.samples.empty()) return;
    const sim::SubjectRange& range = block.cohort.range;
    const std::size_t n = block.n_subjects(), n_outputs = study_.samples.size();
    std::vector<std::uint64_t> subjects(n);
    std::iota(subjects.begin(), subjects.end(), range.first);
    std::vector<double> drawn = values(block, first);
    law_.observe({study_.population.seed, range.replicate, std::move(subjects)}, drawn);
    std::vector<std::vector<double>> measured(n_outputs);
    std::vector<std::vector<std::uint8_t>> censored(n_outputs);
    for (std::size_t i = 0, at = 0; i < n_outputs; at += study_.samples[i].times.size(), ++i) {
        const std::size_t n_times = study_.samples[i].times.size();
        measured[i].resize(n * n_times);
        censored[i].resize(n * n_times);
        for (std::size_t s = 0; s < n; ++s)
            for (std::size_t k = 0; k < n_times; ++k) {
                double& value = measured[i][s * n_times + k];
                value = drawn[(at + k) * n + s];
                censored[i][s * n_times + k] =
                    static_cast<std::uint8_t>(pkpd::censor(study_.samples[i].limits, value));
            }
    }
    const int arm = static_cast<int>(block.arm);
    for (std::size_t i = 0; i < n_outputs; ++i) {
        const std::string path = sample_path(study_.samples[i]);
        file.write(path, arm, range.first, std::span<const double>(measured[i]));
        file.write(path + "_value",
                   arm,
                   range.first,
                   std::span<const double>(block.result.sampled[first + i]));
        if (study_.samples[i].is_limited())
            file.write(
                path + "_censored", arm, range.first, std::span<const std::uint8_t>(censored[i]));
    }
}

} // namespace gemel::scenarios
