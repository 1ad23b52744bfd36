#pragma once

#include <gemel/pkpd/model.hpp>
#include <gemel/pkpd/population_laws.hpp>

#include <filesystem>
#include <string>
#include <vector>

/// A model with other numbers as a file of its own.
namespace gemel::pkpd {

struct Calibration {
    std::string source;               ///< what stands behind the model's own source
    std::vector<std::string> remarks; ///< comments below the first line
    std::vector<LawNumber> numbers;
    std::vector<double> values; ///< [numbers.size()]
    /// `[uncertainty]`: which of the numbers, and their covariance, [n × n]. Empty: there is none.
    std::vector<std::size_t> uncertain;
    std::vector<double> covariance;
};

/// Of estimates with their covariance what `[uncertainty]` can say: numbers that have a place where
/// estimates are normal, and whose error is smaller than they are. What is left out is told in
/// `remarks`. A group of effects is in it as a whole or not at all.
/// @param covariance  of the numbers of `uncertain`, [n × n]
void set_uncertainty(const Model& model,
                     const std::vector<std::size_t>& uncertain,
                     const std::vector<double>& covariance,
                     Calibration& calibration);

/// The text of a model/1 file that uses no other: the words of the model's files with the changes
/// it was loaded with, and these values. Tests of the file are left out, being about other values.
/// @param model    as load_model gave it
/// @param written  where the text will stand, for files beside the model
/// @throws std::invalid_argument if the values make no laws, or the model's files are no longer
/// what they were
std::string write_model(const Model& model,
                        const io::Library& library,
                        const ModelChanges& changes,
                        const Calibration& calibration,
                        const std::filesystem::path& written);

} // namespace gemel::pkpd
