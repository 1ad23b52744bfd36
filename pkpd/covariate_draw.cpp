#include "covariate_draw.hpp"

#include "covariate_law.hpp"
#include "triangle.hpp"

#include <algorithm>

namespace gemel::pkpd {
namespace {

using Law = CovariateDistribution::Law;

class StratumDrawer {
public:
    StratumDrawer(const Population& population,
                  const Stratum& stratum,
                  std::span<const std::uint32_t> subjects,
                  std::uint64_t first,
                  const sim::RandomColumns& random,
                  const ValueOf& value_of,
                  const std::vector<std::vector<double>>* proportions,
                  std::size_t count,
                  std::vector<double>& columns)
        : population_(population),
          stratum_(stratum),
          subjects_(subjects),
          first_(first),
          random_(random),
          value_of_(value_of),
          proportions_(proportions),
          count_(count),
          columns_(columns),
          scores_(population.covariates.size()) {}

    void draw() {
        for (const CovariateCorrelation& correlation : stratum_.correlations)
            draw_scores(correlation);
        if (stratum_.rows) draw_rows(*stratum_.rows);
        for (std::size_t covariate : stratum_.order)
            draw_covariate(covariate);
    }

    /// Rows patients carry the weight of.
    void carry(std::vector<double>& weight) const {
        if (!stratum_.rows || stratum_.rows->weights.empty()) return;
        for (std::size_t i = 0; i < subjects_.size(); ++i)
            weight[subjects_[i]] = stratum_.rows->weights[row_[i]];
    }

private:
    std::uint32_t purpose(std::size_t covariate) const {
        return sim::purpose_number(drawing_purpose(population_.covariates[covariate]));
    }

    std::vector<double> uniforms(std::uint32_t number) const {
        std::vector<double> column(subjects_.size());
        random_.uniforms(number, 0, column.data());
        return column;
    }

    /// Normal scores x = L·z, z from each covariate's own number: the first of a group keeps its
    /// own.
    void draw_scores(const CovariateCorrelation& correlation) {
        const std::size_t n = correlation.of.size();
        const std::vector<double> lower = cholesky(correlation.latent, n);
        std::vector<std::vector<double>> z(n, std::vector<double>(subjects_.size()));
        for (std::size_t k = 0; k < n; ++k)
            random_.normals(purpose(correlation.of[k]), 0, z[k].data());
        for (std::size_t i = 0; i < n; ++i) {
            std::vector<double>& x = scores_[correlation.of[i]];
            x.assign(subjects_.size(), 0.0);
            for (std::size_t k = 0; k <= i; ++k)
                for (std::size_t s = 0; s < x.size(); ++s)
                    x[s] += lower[i * n + k] * z[k][s];
        }
    }

    /// With replacement, each subject's row by its own random number; or in order.
    void draw_rows(const CohortRows& rows) {
        row_.reserve(subjects_.size());
        if (rows.is_in_order) {
            for (std::uint32_t s : subjects_)
                row_.push_back(static_cast<std::size_t>((first_ + s) % rows.n_rows));
            return;
        }
        const auto n = static_cast<double>(rows.n_rows);
        for (const double u : uniforms(sim::purpose_number("rows")))
            row_.push_back(rows.cumulative.empty()
                               ? std::min(static_cast<std::size_t>(u * n), rows.n_rows - 1)
                               : pick(rows.cumulative, u));
    }

    void draw_covariate(std::size_t covariate) {
        const std::vector<double> values = values_of(covariate);
        double* const column = columns_.data() + covariate * count_;
        for (std::size_t i = 0; i < subjects_.size(); ++i)
            column[subjects_[i]] = values[i];
    }

    std::vector<double> values_of(std::size_t covariate) const {
        const CovariateDistribution& law = stratum_.laws[covariate];
        switch (law.law) {
        case Law::row:
            return from_rows(law);
        case Law::data:
            return from_data(covariate);
        case Law::categorical:
            return categories(covariate);
        default:
            return from_law(covariate);
        }
    }

    std::vector<double> from_rows(const CovariateDistribution& law) const {
        std::vector<double> values;
        values.reserve(subjects_.size());
        for (const std::size_t row : row_)
            values.push_back(stratum_.rows->values[law.column * stratum_.rows->n_rows + row]);
        return values;
    }

    std::vector<double> from_data(std::size_t covariate) const {
        std::vector<double> values;
        values.reserve(subjects_.size());
        for (const std::uint32_t s : subjects_)
            values.push_back(value_of_(s, covariate));
        return values;
    }

    std::vector<double> categories(std::size_t covariate) const {
        const CovariateDistribution& law = stratum_.laws[covariate];
        const std::vector<double> cumulative = cumulative_sums(
            law.is_of_mixture && proportions_ ? (*proportions_)[covariate] : law.probabilities);
        std::vector<double> values = uniforms(purpose(covariate));
        for (double& value : values)
            value = static_cast<double>(pick(cumulative, value));
        return values;
    }

    std::vector<double> from_location(const LawColumns& numbers) const {
        std::vector<double> values;
        values.reserve(subjects_.size());
        for (std::size_t i = 0; i < subjects_.size(); ++i)
            values.push_back(numbers.location[i]);
        return values;
    }

    std::vector<double> from_law(std::size_t covariate) const {
        const CovariateDistribution& law = stratum_.laws[covariate];
        LawColumns numbers(law);
        std::vector<std::vector<double>> own;
        for (const auto& dependence : law.dependences)
            own.push_back(dependence.function.evaluate(columns_, count_, subjects_));
        for (std::size_t d = 0; d < own.size(); ++d)
            set_numbers(numbers, law.dependences[d].number, own[d]);
        if (law.law == Law::fixed) return from_location(numbers);
        const std::vector<double>& scores = scores_[covariate];
        if (!scores.empty()) return quantiles(law, numbers, {scores, true});
        return quantiles(law, numbers, {uniforms(purpose(covariate))});
    }

    const Population& population_;
    const Stratum& stratum_;
    std::span<const std::uint32_t> subjects_;
    std::uint64_t first_;
    const sim::RandomColumns& random_;
    const ValueOf& value_of_;
    const std::vector<std::vector<double>>* proportions_;
    std::size_t count_;
    std::vector<double>& columns_;
    std::vector<std::size_t> row_;            ///< [subjects] of the stratum's rows
    std::vector<std::vector<double>> scores_; ///< [n_covariates]; empty: independent
};

} // namespace

std::string drawing_purpose(const Covariate& covariate) {
    return (covariate.proportions.empty() ? "covariate/" : "mixture/") + covariate.name;
}

void draw_stratum(const Population& population,
                  std::size_t stratum,
                  std::span<const std::uint32_t> subjects,
                  std::uint64_t first,
                  const sim::RandomColumns& random,
                  const ValueOf& value_of,
                  const std::vector<std::vector<double>>* proportions,
                  std::size_t count,
                  std::vector<double>& columns,
                  std::vector<double>& weight) {
    StratumDrawer drawer(population,
                         population.strata[stratum],
                         subjects,
                         first,
                         random,
                         value_of,
                         proportions,
                         count,
                         columns);
    drawer.draw();
    drawer.carry(weight);
}

} // namespace gemel::pkpd
