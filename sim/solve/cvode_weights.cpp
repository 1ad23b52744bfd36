#include "solve/cvode_weights.hpp"

#include "solve/cvode_system.hpp"
#include "solve/error_scale.hpp"
#include "solve/step_control.hpp"

#include <algorithm>
#include <cmath>

namespace gemel::sim {

CvodeWeights::CvodeWeights(double rtol, const OdeSystem& system, int n_states)
    : scale_(static_cast<std::size_t>(n_states)),
      least_(scale_.size(), smallest_size),
      counts_(scale_.size()),
      follows_(scale_.size()),
      start_(0.5 * std::sqrt(cvode_part * rtol)) {
    const int n_own = system.n_own_states();
    int n_counting = 0;
    for (int i = 0; i < std::min(n_states, system.n_controlled_states()); ++i)
        if (i % n_own < n_own - system.n_kept_states) {
            counts_[static_cast<std::size_t>(i)] = true;
            ++n_counting;
        }
    const double n = std::max(n_states, 1);
    weight_ = std::sqrt(n / std::max(n_counting, 1)) / (cvode_part * rtol);
}

void CvodeWeights::load(std::span<const double> scale) {
    std::copy_n(scale.begin(), scale_.size(), scale_.begin());
    for (std::size_t i = 0; i < scale_.size(); ++i)
        follows_[i] = !(scale_[i] > 0.0);
}

void CvodeWeights::go_on(std::span<const double> scale) {
    std::copy_n(scale.begin(), scale_.size(), scale_.begin());
}

void CvodeWeights::follow(std::span<const double> y) {
    for (std::size_t i = 0; i < scale_.size(); ++i)
        if (follows_[i]) scale_[i] = std::max(scale_[i], std::fabs(y[i]));
}

void CvodeWeights::start(std::span<const double> rates, double time) {
    for (std::size_t i = 0; i < scale_.size(); ++i)
        least_[i] = follows_[i]
                        ? std::max(smallest_size, std::fabs(rates[i]) * hardly_a_moment(time))
                        : smallest_size;
}

double CvodeWeights::size(std::size_t i, double y) const {
    return absolute_part * scale_[i] + std::fabs(y);
}

void CvodeWeights::write(std::span<const double> y, std::span<double> weights) const {
    std::fill(weights.begin(), weights.end(), 0.0);
    for (std::size_t i = 0; i < scale_.size(); ++i)
        if (const double s = size(i, y[i]); counts_[i] && s > least_[i]) weights[i] = weight_ / s;
}

bool CvodeWeights::leaves_zero(std::size_t i, double y, double rate) const {
    return counts_[i] && rate != 0.0 && !(size(i, y) > least_[i]);
}

bool CvodeWeights::leaves_zero(std::span<const double> y, std::span<const double> rates) const {
    for (std::size_t i = 0; i < scale_.size(); ++i)
        if (leaves_zero(i, y[i], rates[i])) return true;
    return false;
}

double CvodeWeights::first_step(std::span<const double> y,
                                std::span<const double> rates,
                                double room) const {
    double fastest = 0.0;
    for (std::size_t i = 0; i < scale_.size(); ++i)
        if (leaves_zero(i, y[i], rates[i]))
            fastest = std::max(fastest, 1.0 / room);
        else if (const double s = size(i, y[i]); counts_[i] && s > least_[i])
            fastest = std::max(fastest, std::fabs(rates[i]) / s);
    const double step = start_ / fastest;
    return step < room ? step : room;
}

double CvodeWeights::change(std::span<const double> y,
                            std::span<const double> rates,
                            std::span<const double> rates_after) const {
    double largest = 0.0;
    for (std::size_t i = 0; i < scale_.size(); ++i)
        if (leaves_zero(i, y[i], rates[i]))
            largest = std::max(largest, std::fabs(rates_after[i] / rates[i] - 1.0));
    return largest;
}

} // namespace gemel::sim
