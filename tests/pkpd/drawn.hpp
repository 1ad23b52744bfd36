#pragma once

#include "pkpd/library.hpp"

#include <gemel/pkpd/population.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>

/// Populations read from text and drawn, and the statistics their columns are judged by.
namespace gemel::pkpd {

inline void add_covariate(Model& model,
                          const char* name,
                          const char* unit,
                          std::vector<std::string> categories = {}) {
    Covariate covariate;
    covariate.name = name;
    covariate.unit = *sim::parse_unit(unit);
    covariate.categories = std::move(categories);
    model.covariates.push_back(covariate);
}

/// Inputs in the order: every theta, every eta, every covariate or its categories, every map.
inline void list_inputs(Model& model) {
    using Kind = InputSource::Kind;
    const auto add = [&](Kind kind, std::size_t index, std::size_t category = 0) {
        InputSource source;
        source.kind = kind;
        source.index = static_cast<int>(index);
        source.category = static_cast<int>(category);
        model.inputs.push_back(source);
    };
    model.inputs.clear();
    for (std::size_t p = 0; p < model.parameters.size(); ++p)
        add(Kind::theta, p);
    for (std::size_t p = 0; p < model.parameters.size(); ++p)
        add(Kind::eta, p);
    for (std::size_t c = 0; c < model.covariates.size(); ++c) {
        if (model.covariates[c].categories.empty()) add(Kind::covariate, c);
        for (std::size_t k = 0; k < model.covariates[c].categories.size(); ++k)
            add(Kind::category, c, k);
    }
    for (std::size_t m = 0; m < model.maps.size(); ++m)
        add(Kind::map, m);
}

/// A model that knows the weight and nothing else.
inline Model weight_frame() {
    Model model;
    model.id = "frame";
    add_covariate(model, "WT", "kg");
    list_inputs(model);
    return model;
}

struct Read {
    Population population;
    std::string messages;
};

/// @param study  where the study would stand, for files it names
/// @param data   whose subjects the population is
inline Read read(const std::string& toml,
                 const Model& model,
                 std::uint64_t seed = 1,
                 const std::filesystem::path& study = "study.toml",
                 std::shared_ptr<const DataCohort> data = nullptr) {
    auto file = std::make_shared<sim::SourceFile>();
    file->name = "study.toml";
    file->text = "[population]\n" + toml;
    sim::DiagnosticList diagnostics;
    const io::TomlView document = io::parse_toml(file, diagnostics);
    Read result;
    if (document.is_set())
        result.population = read_population(document["population"],
                                            std::make_shared<Model>(model),
                                            seed,
                                            diagnostics,
                                            {library(), study, std::move(data)});
    if (!diagnostics.empty()) result.messages = diagnostics.render();
    return result;
}

inline Population read_well(const std::string& toml, const Model& model, std::uint64_t seed = 1) {
    const Read result = read(toml, model, seed);
    REQUIRE(result.messages == "");
    return result.population;
}

inline CohortBlock draw_all(const Population& population) {
    return population.draw({0, 0, population.size});
}

inline std::vector<double>
column(const std::vector<double>& columns, std::uint64_t n, std::size_t index) {
    return {columns.begin() + static_cast<std::ptrdiff_t>(index * n),
            columns.begin() + static_cast<std::ptrdiff_t>((index + 1) * n)};
}

inline double mean(const std::vector<double>& values) {
    double sum = 0.0;
    for (double value : values)
        sum += value;
    return sum / static_cast<double>(values.size());
}

inline double sd(const std::vector<double>& values) {
    const double centre = mean(values);
    double sum = 0.0;
    for (double value : values)
        sum += (value - centre) * (value - centre);
    return std::sqrt(sum / static_cast<double>(values.size() - 1));
}

inline double correlation(const std::vector<double>& a, const std::vector<double>& b) {
    const double mean_a = mean(a), mean_b = mean(b);
    double sum = 0.0;
    for (std::size_t i = 0; i < a.size(); ++i)
        sum += (a[i] - mean_a) * (b[i] - mean_b);
    return sum / (static_cast<double>(a.size() - 1) * sd(a) * sd(b));
}

/// Kolmogorov–Smirnov distance between a sample and a distribution function.
inline double ks_distance(std::vector<double> sample,
                          const std::function<double(double)>& probability) {
    std::sort(sample.begin(), sample.end());
    const auto n = static_cast<double>(sample.size());
    double distance = 0.0;
    for (std::size_t i = 0; i < sample.size(); ++i) {
        const double p = probability(sample[i]);
        distance = std::max(
            {distance, p - static_cast<double>(i) / n, static_cast<double>(i + 1) / n - p});
    }
    return distance;
}

/// Exceeded by chance once in a thousand: √(ln(2/0.001)/(2n)). The seed is fixed, so no test
/// flickers.
inline double ks_critical(std::uint64_t n) {
    return std::sqrt(std::log(2.0 / 0.001) / (2.0 * static_cast<double>(n)));
}

inline double phi(double z) {
    return 0.5 * std::erfc(-z / std::sqrt(2.0));
}
inline double density(double z) {
    return std::exp(-0.5 * z * z) / std::sqrt(2.0 * std::acos(-1.0));
}

} // namespace gemel::pkpd
