#pragma once

#include "marginal.hpp"

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace gemel::learners {

/// Measurements drawn as a point of the population says they come: effects of subjects and
/// residual errors, on the design of the data. Values are on the scale of Measurement::value. A
/// value depends on the seed, the replicate, the subject and its own place among the subject's
/// observations, and on no other range drawn.
class DataSimulator {
public:
    struct Range {
        std::size_t first_subject = 0, n_subjects = 0;
        std::uint32_t first_replicate = 0, n_replicates = 0; ///< below 65536 together
    };
    /// @param purpose  "fit/npde": numbers are drawn for it with ".effects" and ".error"
    DataSimulator(FitEngine& engine,
                  PopulationPoint point,
                  std::uint64_t seed,
                  const std::string& purpose);

    void draw(const Range& range);
    /// Of the range drawn last, [n_measured]; NaN where a solve failed.
    std::span<const double> values(std::size_t subject, std::uint32_t replicate) const;

private:
    void draw_effects(std::size_t subject, double* effects) const;
    void add_errors(std::size_t subject, double* values) const;

    FitEngine& engine_;
    PopulationPoint point_;
    std::uint64_t seed_ = 0;
    std::uint32_t effects_purpose_ = 0, error_purpose_ = 0;
    Eigen::MatrixXd omega_root_, pi_root_;
    Range range_;
    std::vector<std::size_t> subjects_, first_; ///< of the tasks, subject after subject
    std::vector<double> effects_, values_;
};

/// Effects of many draws of one group: R·z, R lower.
/// @param normals  [effects × n], column by column of effects
/// @param first    of the group's effects
/// @param effects  [n × stride]
void spread_normals(std::span<const double> normals,
                    std::size_t n,
                    std::size_t first,
                    const Eigen::MatrixXd& root,
                    double* effects,
                    std::size_t stride);

/// Between what limits a measurement is told as a value.
struct ValueLimits {
    double lower = -std::numeric_limits<double>::infinity();
    double upper = std::numeric_limits<double>::infinity();
};

/// Of every measurement, [n_subjects][n_measured], on the scale of Measurement::value. Data tell
/// limits of censored values alone; another is taken to have the widest limits that its output has
/// anywhere, or its own value if it lies beyond them.
std::vector<std::vector<ValueLimits>> limits_of(const FitData& data);

/// The data with measurements of a replicate in their places, told as values between their limits
/// and as censored beyond. A measurement whose solve failed is missing.
/// @param simulator  has drawn the replicate of all subjects
pkpd::DataSet
simulated_data(const FitData& data, const DataSimulator& simulator, std::uint32_t replicate);

/// Predictions without effects, [n_subjects][n_measured], in outputs' units.
std::vector<std::vector<double>> typical_predictions(FitEngine& engine,
                                                     const PopulationPoint& point);

} // namespace gemel::learners
