#include "correlation_reading.hpp"

#include "triangle.hpp"

#include <gemel/sim/expression.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace gemel::pkpd {
namespace {

using Law = CovariateDistribution::Law;

double sine(double x) {
    return sim::apply(sim::Op::sine, x, 0.0, 0.0);
}

/// Why a covariate cannot be in a copula, or "".
std::string
why_not_correlated(const std::string& name, const CovariateNames& names, const Stratum& stratum) {
    const int found = names.find(name);
    if (found < 0) return fmt::format("'{}' is no covariate of the population", name);
    const auto c = static_cast<std::size_t>(found);
    const Law law = stratum.laws[c].law;
    if (!names.at(c).categories.empty())
        return fmt::format("{} has categories, whose ranks are tied", name);
    if (law == Law::row) return fmt::format("{} comes from rows, whose dependence is kept", name);
    if (law == Law::fixed || law == Law::data)
        return fmt::format("{} is not drawn from a law", name);
    for (const CovariateCorrelation& other : stratum.correlations)
        if (std::count(other.of.begin(), other.of.end(), c) > 0)
            return fmt::format("'{}' is already in another correlation", name);
    return {};
}

std::string help_for(const std::string& name, const CovariateNames& names, const Stratum& stratum) {
    const int found = names.find(name);
    if (found < 0) return sim::suggest(name, names.names());
    const auto c = static_cast<std::size_t>(found);
    if (!names.at(c).categories.empty())
        return "let laws differ by category with [population.strata.NAME]";
    return stratum.laws[c].law == Law::fixed || stratum.laws[c].law == Law::row ||
                   stratum.laws[c].law == Law::data
               ? "give it a law, or leave it out of the correlation"
               : "name all that go together in one";
}

std::vector<std::size_t> members(const CorrelationWords& words,
                                 const CovariateNames& names,
                                 const Stratum& stratum,
                                 sim::DiagnosticList& diagnostics) {
    std::vector<std::size_t> of;
    for (const std::string& name : words.of) {
        std::string why = why_not_correlated(name, names, stratum);
        if (std::count(words.of.begin(), words.of.end(), name) > 1)
            why = fmt::format("'{}' is named twice", name);
        if (why.empty())
            of.push_back(static_cast<std::size_t>(names.find(name)));
        else
            diagnostics.add(words.of_span, why, help_for(name, names, stratum));
    }
    if (words.of.size() == 1)
        diagnostics.add(words.of_span, "a correlation is between at least two covariates");
    return of.size() == words.of.size() && of.size() > 1 ? of : std::vector<std::size_t>();
}

} // namespace

double latent_of_kendall(double tau) {
    return sine(std::numbers::pi / 2.0 * tau);
}

double latent_of_spearman(double rho) {
    return 2.0 * sine(std::numbers::pi / 6.0 * rho);
}

void read_correlation(const CorrelationWords& words,
                      const CovariateNames& names,
                      Stratum& stratum,
                      sim::DiagnosticList& diagnostics) {
    const std::vector<std::size_t> of = members(words, names, stratum, diagnostics);
    if (of.empty() || !words.matrix.is_set()) return;
    const std::size_t n = of.size();
    auto matrix = read_triangle(words.matrix, n, false, "covariates", diagnostics);
    if (!matrix) return;
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < n; ++j) {
            double& cell = (*matrix)[i * n + j];
            if (i == j) continue;
            if (!(std::abs(cell) <= 1.0)) {
                diagnostics.add(words.matrix.span(),
                                fmt::format("{:g} is no correlation; a number from -1 to 1 is "
                                            "expected",
                                            cell));
                return;
            }
            if (words.measure == "kendall") cell = latent_of_kendall(cell);
            if (words.measure == "spearman") cell = latent_of_spearman(cell);
        }
    if (!is_positive_semidefinite(*matrix, n)) {
        diagnostics.add(words.matrix.span(),
                        "no patients go together like that: the correlations of the normal scores "
                        "are not positive semidefinite",
                        "each pair is possible alone; bring the weakest nearer to the product of "
                        "the others");
        return;
    }
    stratum.correlations.push_back({of, std::move(*matrix)});
}

} // namespace gemel::pkpd
