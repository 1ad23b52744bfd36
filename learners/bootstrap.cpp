#include "bootstrap.hpp"

#include <gemel/sim/assert.hpp>
#include <gemel/sim/parallel.hpp>
#include <gemel/sim/random.hpp>

#include <fmt/format.h>

#include <limits>
#include <map>
#include <stdexcept>

namespace gemel::learners {
namespace {

/// Subjects with names that differ: "7", "7 (2)", "7 (3)".
std::vector<pkpd::DataSubject> named_subjects(const pkpd::DataSet& data,
                                              const std::vector<std::size_t>& subjects) {
    std::map<std::size_t, int> times;
    std::vector<pkpd::DataSubject> named;
    for (const std::size_t s : subjects) {
        const int time = ++times[s];
        named.push_back(data.subjects[s]);
        if (time > 1) named.back().id += fmt::format(" ({})", time);
    }
    return named;
}

/// Some rows of a table that stands column after column.
std::vector<double> rows_of(const std::vector<double>& table,
                            std::size_t n_rows,
                            const std::vector<std::size_t>& rows) {
    std::vector<double> chosen;
    for (std::size_t column = 0; column < table.size(); column += n_rows)
        for (const std::size_t row : rows)
            chosen.push_back(table[column + row]);
    return chosen;
}

pkpd::DataCohort cohort_of(const pkpd::DataCohort& from,
                           const std::vector<std::size_t>& subjects,
                           const std::vector<pkpd::DataSubject>& named) {
    pkpd::DataCohort cohort;
    cohort.header = from.header;
    cohort.covariates = from.covariates;
    cohort.linear = from.linear;
    std::vector<std::size_t> rows;
    for (std::size_t i = 0; i < subjects.size(); ++i) {
        const std::size_t s = subjects[i];
        cohort.first_row.push_back(rows.size());
        for (std::size_t row = from.first_row[s]; row < from.first_row[s + 1]; ++row)
            rows.push_back(row);
        cohort.ids.push_back(named[i].id);
        cohort.keys.push_back(sim::subject_number(named[i].id));
        cohort.timelines.push_back(from.timelines[s]);
        cohort.observations.push_back(from.observations[s]);
    }
    cohort.first_row.push_back(rows.size());
    cohort.values = rows_of(from.values, from.n_rows(), rows);
    cohort.slopes = rows_of(from.slopes, from.n_rows(), rows);
    cohort.starts = rows_of(from.starts, from.n_rows(), rows);
    for (const std::size_t row : rows)
        if (!from.occasions.empty()) cohort.occasions.push_back(from.occasions[row]);
    return cohort;
}

/// What goes by a subject's place in the file.
void resample_rows(const std::vector<std::size_t>& subjects, pkpd::Population& population) {
    for (pkpd::GenotypeDistribution& law : population.genotypes) {
        if (law.kind != pkpd::GenotypeDistribution::Kind::called) continue;
        pkpd::CalledGenotypes called;
        for (const std::size_t s : subjects)
            called.rows.push_back(law.called->rows[s % law.called->rows.size()]);
        law.called = std::make_shared<const pkpd::CalledGenotypes>(std::move(called));
    }
}

Eigen::MatrixXd covariance_of(const FitSetup& setup,
                              const std::vector<std::vector<double>>& estimates) {
    std::vector<std::size_t> estimated;
    for (std::size_t k = 0; k < setup.numbers.size(); ++k)
        if (!setup.numbers[k].is_fixed) estimated.push_back(k);
    Eigen::MatrixXd values(static_cast<Eigen::Index>(estimates.size()),
                           static_cast<Eigen::Index>(estimated.size()));
    for (Eigen::Index r = 0; r < values.rows(); ++r)
        for (Eigen::Index k = 0; k < values.cols(); ++k)
            values(r, k) =
                estimates[static_cast<std::size_t>(r)][estimated[static_cast<std::size_t>(k)]];
    if (values.rows() < 2)
        return Eigen::MatrixXd::Constant(
            values.cols(), values.cols(), std::numeric_limits<double>::quiet_NaN());
    values.rowwise() -= values.colwise().mean().eval();
    return values.transpose() * values / static_cast<double>(values.rows() - 1);
}

} // namespace

FitSetup with_subjects(const FitSetup& setup, const std::vector<std::size_t>& subjects) {
    FitSetup resampled = setup;
    auto data = std::make_shared<pkpd::DataSet>(*setup.data);
    data->subjects = named_subjects(*setup.data, subjects);
    resampled.population.data = std::make_shared<const pkpd::DataCohort>(
        cohort_of(*setup.population.data, subjects, data->subjects));
    resampled.population.size = subjects.size();
    resample_rows(subjects, resampled.population);
    resampled.data = std::move(data);
    return resampled;
}

std::vector<std::size_t>
resample(std::size_t n_subjects, std::uint64_t seed, std::uint32_t replicate) {
    sim::RandomStream stream({seed, replicate, 0}, sim::purpose_number("fit/bootstrap"));
    std::vector<std::size_t> subjects(n_subjects);
    for (std::size_t& subject : subjects)
        subject = static_cast<std::size_t>(stream.uniform() * static_cast<double>(n_subjects));
    return subjects;
}

Bootstrap
bootstrap(const FitSetup& setup,
          const FitExecution& execution,
          int n,
          const std::function<std::optional<std::vector<double>>(const FitSetup&)>& refit) {
    if (n < 1 || n > 65535)
        throw std::invalid_argument(
            fmt::format("n_bootstrap is {}; a bootstrap takes 1 to 65535 replicates", n));
    std::vector<std::optional<std::vector<double>>> refits(static_cast<std::size_t>(n));
    sim::parallel_for(refits.size(), execution.n_threads, [&](std::size_t r, int) {
        const auto replicate = static_cast<std::uint32_t>(r);
        refits[r] = refit(with_subjects(
            setup, resample(setup.data->subjects.size(), setup.options.seed, replicate)));
    });
    Bootstrap result;
    for (auto& values : refits)
        if (values)
            result.estimates.push_back(std::move(*values));
        else
            ++result.n_failed;
    result.covariance = covariance_of(setup, result.estimates);
    return result;
}

} // namespace gemel::learners
