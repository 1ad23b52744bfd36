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
                  const UniformOf& uniform_of,
                  const ValueOf& value_of,
                  const std::vector<std::vector<double>>* proportions,
                  std::size_t count,
                  std::vector<double>& columns)
        : population_(population),
          stratum_(stratum),
          subjects_(subjects),
          first_(first),
          uniform_of_(uniform_of),
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

    /// Normal scores x = L·z, z from each covariate's own number: the first of a group keeps its
    /// own.
    void draw_scores(const CovariateCorrelation& correlation) {
        const std::size_t n = correlation.of.size();
        const std::vector<double> lower = cholesky(correlation.latent, n);
        std::vector<std::uint32_t> purposes;
        for (std::size_t covariate : correlation.of) {
            purposes.push_back(purpose(covariate));
            scores_[covariate].reserve(subjects_.size());
        }
        std::vector<double> z(n);
        for (std::uint32_t s : subjects_) {
            for (std::size_t k = 0; k < n; ++k)
                z[k] = sim::normal_quantile(uniform_of_(s, purposes[k]));
            for (std::size_t i = 0; i < n; ++i) {
                double x = 0.0;
                for (std::size_t k = 0; k <= i; ++k)
                    x += lower[i * n + k] * z[k];
                scores_[correlation.of[i]].push_back(x);
            }
        }
    }

    /// With replacement, each subject's row by its own random number; or in order.
    void draw_rows(const CohortRows& rows) {
        const std::uint32_t number = sim::purpose_number("rows");
        const auto n = static_cast<double>(rows.n_rows);
        for (std::uint32_t s : subjects_) {
            if (rows.is_in_order) {
                row_.push_back(static_cast<std::size_t>((first_ + s) % rows.n_rows));
                continue;
            }
            const double u = uniform_of_(s, number);
            row_.push_back(rows.cumulative.empty()
                               ? std::min(static_cast<std::size_t>(u * n), rows.n_rows - 1)
                               : pick(rows.cumulative, u));
        }
    }

    void draw_covariate(std::size_t covariate) {
        CovariateDistribution law = stratum_.laws[covariate];
        std::vector<std::vector<double>> numbers;
        for (const auto& dependence : law.dependences)
            numbers.push_back(dependence.function.evaluate(columns_, count_, subjects_));
        double* const column = columns_.data() + covariate * count_;
        const std::vector<double>& scores = scores_[covariate];
        if (law.is_of_mixture && proportions_) law.probabilities = (*proportions_)[covariate];
        const std::vector<double> categories = cumulative_sums(law.probabilities);
        const std::uint32_t number = purpose(covariate);
        for (std::size_t i = 0; i < subjects_.size(); ++i) {
            for (std::size_t d = 0; d < numbers.size(); ++d)
                set_number(law, law.dependences[d].number, numbers[d][i]);
            double& value = column[subjects_[i]];
            if (law.law == Law::row) {
                value = stratum_.rows->values[law.column * stratum_.rows->n_rows + row_[i]];
            } else if (law.law == Law::data) {
                value = value_of_(subjects_[i], covariate);
            } else if (law.law == Law::fixed) {
                value = law.location;
            } else if (law.law == Law::categorical) {
                value = static_cast<double>(pick(categories, uniform_of_(subjects_[i], number)));
            } else {
                value =
                    quantile(law,
                             scores.empty() ? Rank::of_uniform(uniform_of_(subjects_[i], number))
                                            : Rank::of_score(scores[i]));
            }
        }
    }

    const Population& population_;
    const Stratum& stratum_;
    std::span<const std::uint32_t> subjects_;
    std::uint64_t first_;
    const UniformOf& uniform_of_;
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
                  const UniformOf& uniform_of,
                  const ValueOf& value_of,
                  const std::vector<std::vector<double>>* proportions,
                  std::size_t count,
                  std::vector<double>& columns,
                  std::vector<double>& weight) {
    StratumDrawer drawer(population,
                         population.strata[stratum],
                         subjects,
                         first,
                         uniform_of,
                         value_of,
                         proportions,
                         count,
                         columns);
    drawer.draw();
    drawer.carry(weight);
}

} // namespace gemel::pkpd
