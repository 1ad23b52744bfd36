#include "endpoints/endpoint_columns.hpp"

#include <fmt/format.h>

#include <set>

namespace gemel::scenarios {

namespace {

/// The first stratification in use has the axis `stratum`, others are named for their first
/// endpoint.
std::string stratum_axis(const Study& study, std::size_t stratification) {
    bool is_first = true;
    for (const Endpoint& endpoint : study.endpoints) {
        if (endpoint.stratification == 0) continue;
        if (endpoint.stratification == stratification)
            return is_first ? "stratum" : "stratum_" + endpoint.name;
        is_first = false;
    }
    return {};
}

std::vector<std::string> axes_of(const Study& study, const Endpoint& endpoint) {
    if (endpoint.stratification == 0) return {"arm"};
    return {"arm", stratum_axis(study, endpoint.stratification)};
}

std::string path_of(const Endpoint& endpoint, const std::string& suffix = {}) {
    return "endpoints/" + endpoint.name + suffix;
}

/// What stands beside an endpoint's value, by what it has.
std::vector<std::string> companions(const Endpoint& endpoint) {
    std::vector<std::string> suffixes;
    if (endpoint.function->has_mcse) suffixes.emplace_back("_mcse");
    if (endpoint.function->has_interval) suffixes.insert(suffixes.end(), {"_lower", "_upper"});
    suffixes.insert(suffixes.end(), {"_n", "_n_missing"});
    return suffixes;
}

bool is_count(const std::string& suffix) {
    return suffix.starts_with("_n");
}

std::string about(const Endpoint& endpoint, const std::string& suffix) {
    const std::string what = endpoint.label.empty() ? endpoint.text.text : endpoint.label;
    if (suffix == "_mcse") return "Monte-Carlo standard error of " + endpoint.text.text;
    if (suffix == "_n") return "subjects with a value for " + endpoint.text.text;
    if (suffix == "_n_missing") return "subjects without a value for " + endpoint.text.text;
    if (suffix.empty()) return what;
    const char* bound = suffix == "_lower" ? "lower" : "upper";
    return fmt::format(
        "{} end of the {:g} % interval of {}", bound, 100.0 * endpoint.settings.level, what);
}

void declare(const Study& study,
             const Endpoint& endpoint,
             const std::string& suffix,
             io::Layout& file) {
    io::Variable variable;
    variable.path = path_of(endpoint, suffix);
    variable.type = is_count(suffix) ? io::ValueType::integer : io::ValueType::real;
    variable.axes = axes_of(study, endpoint);
    variable.units = is_count(suffix) ? "1" : endpoint.unit.text;
    variable.long_name = about(endpoint, suffix);
    if (suffix.empty()) {
        std::string beside;
        for (const std::string& companion : companions(endpoint))
            beside += (beside.empty() ? "" : " ") + endpoint.name + companion;
        variable.attributes = {{"endpoint", endpoint.text.text}, {"ancillary_variables", beside}};
    }
    file.add(variable);
}

template <class Get>
void write(const Endpoint& endpoint,
           const std::string& suffix,
           const std::vector<Estimate>& estimates,
           Get get,
           io::ResultFile& file) {
    std::vector<double> values;
    for (const Estimate& estimate : estimates)
        values.push_back(get(estimate));
    file.write_all(path_of(endpoint, suffix), std::span<const double>(values));
}

void write_counts(const Endpoint& endpoint,
                  const std::vector<Sample>& samples,
                  io::ResultFile& file) {
    std::vector<std::int64_t> n, n_missing;
    for (const Sample& sample : samples) {
        n.push_back(static_cast<std::int64_t>(sample.n));
        n_missing.push_back(static_cast<std::int64_t>(sample.n_missing));
    }
    file.write_all(path_of(endpoint, "_n"), std::span<const std::int64_t>(n));
    file.write_all(path_of(endpoint, "_n_missing"), std::span<const std::int64_t>(n_missing));
}

} // namespace

void declare_endpoints(const Study& study, io::Layout& file) {
    std::set<std::size_t> added{0};
    for (const Endpoint& endpoint : study.endpoints)
        if (added.insert(endpoint.stratification).second) {
            const Stratification& by = study.stratifications[endpoint.stratification];
            file.add(io::Axis{.name = stratum_axis(study, endpoint.stratification),
                              .long_name = by.by,
                              .units = "1",
                              .labels = by.strata});
        }
    for (const Endpoint& endpoint : study.endpoints) {
        declare(study, endpoint, "", file);
        for (const std::string& suffix : companions(endpoint))
            declare(study, endpoint, suffix, file);
    }
}

void write_endpoints(const Study& study, const EndpointRecorder& recorder, io::ResultFile& file) {
    for (std::size_t i = 0; i < study.endpoints.size(); ++i) {
        const Endpoint& endpoint = study.endpoints[i];
        const std::vector<Sample> samples = recorder.samples(i);
        std::vector<Estimate> estimates;
        for (const Sample& sample : samples)
            estimates.push_back(endpoint.function->estimate(sample, endpoint.settings));
        write(
            endpoint, "", estimates, [](const Estimate& e) { return e.value; }, file);
        if (endpoint.function->has_mcse)
            write(
                endpoint, "_mcse", estimates, [](const Estimate& e) { return e.mcse; }, file);
        if (endpoint.function->has_interval) {
            write(
                endpoint, "_lower", estimates, [](const Estimate& e) { return e.lower; }, file);
            write(
                endpoint, "_upper", estimates, [](const Estimate& e) { return e.upper; }, file);
        }
        write_counts(endpoint, samples, file);
    }
}

} // namespace gemel::scenarios
