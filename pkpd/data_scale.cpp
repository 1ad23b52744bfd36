#include "data_reading.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

/// Whether the values of a file are of the size that a model predicts.
namespace gemel::pkpd {
namespace {

constexpr double far = 100.0;

bool is_used(const DataObservation& observation) {
    return !observation.is_missing && observation.cens == 0 && observation.output >= 0;
}

double median(std::vector<double> all) {
    std::ranges::sort(all);
    const std::size_t n = all.size();
    return 0.5 * (all[(n - 1) / 2] + all[n / 2]);
}

std::string unit_of_column(const DataSet& data, const std::string& role) {
    for (const DataColumn& column : data.columns)
        if (column.role == role) return column.unit;
    return {};
}

/// The power of a thousand that a factor nearly is, as units differ by them; 0 otherwise.
int thousands(double ratio) {
    const double power = std::log10(ratio) / 3.0;
    return std::abs(power - std::round(power)) < 0.17 ? static_cast<int>(std::round(power)) : 0;
}

/// What would explain it.
std::string likely_cause(double ratio, const DataSet& data, const sim::Unit& unit) {
    const std::string of_dv = unit_of_column(data, "DV"), of_amt = unit_of_column(data, "AMT");
    const std::string declared =
        fmt::format("DV is read in {}, AMT in {}",
                    of_dv.empty() ? unit.text : of_dv,
                    of_amt.empty() ? "the unit of its compartment" : of_amt);
    const char* const size = ratio > 1.0 ? "smaller" : "larger";
    const char* const opposite = ratio > 1.0 ? "larger" : "smaller";
    const int power = std::abs(thousands(ratio));
    const std::string times = power == 0   ? ""
                              : power == 1 ? "1000 times "
                                           : fmt::format("1e{} times ", 3 * power);
    return fmt::format("{0}: a unit of DV {1}{2}, or of AMT {1}{3}, would explain it; if the "
                       "values are right and the model is to be that far off, write any_scale = "
                       "true in [data]",
                       declared,
                       times,
                       size,
                       opposite);
}

} // namespace

bool has_values(const DataSet& data) {
    return std::ranges::any_of(data.subjects, [](const DataSubject& subject) {
        return std::ranges::any_of(subject.observations, is_used);
    });
}

bool DataScale::is_far() const {
    return n > 0 && !(measured < far * predicted && predicted < far * measured);
}

std::vector<DataScale> compare_scales(const DataSet& data,
                                      const std::vector<std::vector<double>>& predicted) {
    std::map<int, std::pair<std::vector<double>, std::vector<double>>> values;
    for (std::size_t s = 0; s < predicted.size(); ++s) {
        const std::vector<DataObservation>& observations = data.subjects[s].observations;
        for (std::size_t i = 0; i < observations.size(); ++i) {
            const double model = predicted[s][i];
            if (!is_used(observations[i]) || !(observations[i].dv > 0.0) || !(model > 0.0))
                continue;
            values[observations[i].output].first.push_back(observations[i].dv);
            values[observations[i].output].second.push_back(model);
        }
    }
    std::vector<DataScale> scales;
    for (const auto& [output, both] : values)
        scales.push_back({output, both.first.size(), median(both.first), median(both.second)});
    return scales;
}

void tell_far(const DataScale& scale,
              const DataSet& data,
              const Model& model,
              sim::DiagnosticList& diagnostics) {
    const sim::NamedExpr& output = model.system.outputs[static_cast<std::size_t>(scale.output)];
    const double ratio = scale.measured / scale.predicted;
    diagnostics.add(data.dv_header,
                    fmt::format("the median of {} of {} is {:.3g} {}, but the model "
                                "predicts {:.3g} {} for typical subjects in the same rows: {:.3g} "
                                "times {}",
                                counted(scale.n, "value"),
                                output.name,
                                scale.measured,
                                output.unit.text,
                                scale.predicted,
                                output.unit.text,
                                std::max(ratio, 1.0 / ratio),
                                ratio > 1.0 ? "less" : "more"),
                    likely_cause(ratio, data, output.unit));
}

} // namespace gemel::pkpd
