// The only source that sees htslib. Its messages are silenced: what goes wrong is told here.
#include <gemel/io/variants.hpp>

#include <fmt/format.h>
#include <htslib/hts.h>
#include <htslib/kseq.h>
#include <htslib/kstring.h>
#include <htslib/tbx.h>
#include <htslib/vcf.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <map>
#include <string_view>

namespace gemel::io {
namespace {

template <auto function>
struct CallOnDelete {
    template <class T>
    void operator()(T* pointer) const {
        function(pointer);
    }
};
using HtsFile = std::unique_ptr<htsFile, CallOnDelete<hts_close>>;
using HtsHeader = std::unique_ptr<bcf_hdr_t, CallOnDelete<bcf_hdr_destroy>>;
using HtsRecord = std::unique_ptr<bcf1_t, CallOnDelete<bcf_destroy>>;
using HtsIndex = std::unique_ptr<hts_idx_t, CallOnDelete<hts_idx_destroy>>;
using HtsTabix = std::unique_ptr<tbx_t, CallOnDelete<tbx_destroy>>;
using HtsIterator = std::unique_ptr<hts_itr_t, CallOnDelete<hts_itr_destroy>>;

/// A line that htslib grows.
struct HtsLine {
    kstring_t text = KS_INITIALIZE;
    HtsLine() = default;
    HtsLine(const HtsLine&) = delete;
    HtsLine& operator=(const HtsLine&) = delete;
    ~HtsLine() { ks_free(&text); }
    std::string_view view() const { return {text.s, text.l}; }
};

/// An array of numbers that htslib grows.
struct HtsNumbers {
    std::int32_t* data = nullptr;
    int capacity = 0;
    HtsNumbers() = default;
    HtsNumbers(const HtsNumbers&) = delete;
    HtsNumbers& operator=(const HtsNumbers&) = delete;
    ~HtsNumbers() { std::free(data); }
};

std::string bare_chromosome(std::string_view name) {
    return std::string(name.starts_with("chr") ? name.substr(3) : name);
}

std::string upper_case(const char* text) {
    std::string upper = text;
    std::ranges::transform(upper, upper.begin(), [](unsigned char c) {
        return static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    });
    return upper;
}

/// Which stretches of a chromosome are looked at.
class WantedRegions {
public:
    explicit WantedRegions(std::span<const VariantRegion> regions) {
        for (const VariantRegion& region : regions)
            by_chromosome_[bare_chromosome(region.chrom)].emplace_back(region.first, region.last);
        for (auto& [chromosome, stretches] : by_chromosome_)
            merge(stretches);
    }

    bool overlap(const std::string& bare, std::int64_t first, std::int64_t last) const {
        const auto found = by_chromosome_.find(bare);
        if (found == by_chromosome_.end()) return false;
        const auto at = std::ranges::lower_bound(found->second, first, {}, &Stretch::second);
        return at != found->second.end() && at->first <= last;
    }
    /// Nothing of the chromosome lies at or after `first`.
    bool end_before(const std::string& bare, std::int64_t first) const {
        const auto found = by_chromosome_.find(bare);
        return found == by_chromosome_.end() || found->second.back().second < first;
    }
    using Stretch = std::pair<std::int64_t, std::int64_t>;
    const std::map<std::string, std::vector<Stretch>>& all() const { return by_chromosome_; }

private:
    static void merge(std::vector<Stretch>& stretches) {
        std::ranges::sort(stretches);
        std::vector<Stretch> merged;
        for (const Stretch& stretch : stretches)
            if (!merged.empty() && stretch.first <= merged.back().second + 1)
                merged.back().second = std::max(merged.back().second, stretch.second);
            else
                merged.push_back(stretch);
        stretches = std::move(merged);
    }

    std::map<std::string, std::vector<Stretch>> by_chromosome_;
};

/// The n-th field of a line, counted from 0; empty beyond the last.
std::string_view field(std::string_view line, int n) {
    for (; n > 0; --n) {
        const auto tab = line.find('\t');
        if (tab == std::string_view::npos) return {};
        line.remove_prefix(tab + 1);
    }
    return line.substr(0, line.find('\t'));
}

std::int64_t number_of(std::string_view text) {
    std::int64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

/// Where a line's record ends, as far as it can be told without reading all of it.
std::int64_t end_of(std::string_view line, std::int64_t pos) {
    const std::int64_t end = pos + static_cast<std::int64_t>(field(line, 3).size()) - 1;
    if (field(line, 4).find('<') == std::string_view::npos) return end;
    const std::string_view info = field(line, 7);
    const auto at = info.starts_with("END=") ? 0 : info.find(";END=");
    if (at == std::string_view::npos) return end;
    return std::max(end, number_of(info.substr(info.find('=', at) + 1)));
}

class HtsVariantFile final : public VariantFile {
public:
    HtsVariantFile(std::filesystem::path path, HtsFile file, HtsHeader header)
        : path_(std::move(path)),
          file_(std::move(file)),
          header_(std::move(header)),
          record_(bcf_init()) {
        for (int s = 0; s < bcf_hdr_nsamples(header_.get()); ++s)
            samples_.emplace_back(header_->samples[s]);
        for (int c = 0; c < header_->n[BCF_DT_CTG]; ++c) {
            const bcf_idpair_t& contig = header_->id[BCF_DT_CTG][c];
            if (contig.key != nullptr)
                contigs_.push_back(
                    {contig.key, contig.val ? static_cast<std::int64_t>(contig.val->info[0]) : 0});
        }
        for (int h = 0; h < header_->nhrec; ++h)
            add_assembly(*header_->hrec[h]);
        load_index();
    }

    const std::vector<std::string>& samples() const override { return samples_; }
    const std::vector<VariantContig>& contigs() const override { return contigs_; }
    const std::vector<std::string>& assemblies() const override { return assemblies_; }
    bool has_index() const override { return index_ != nullptr || tabix_ != nullptr; }

    bool read(std::span<const VariantRegion> regions,
              const std::function<void(const VariantRecord&)>& visit,
              sim::DiagnosticList& diagnostics) override {
        visit_ = &visit;
        const WantedRegions wanted(regions);
        const bool is_whole = index_      ? read_indexed_bcf(wanted)
                              : tabix_    ? read_indexed_vcf(wanted)
                              : is_text() ? read_vcf(wanted)
                                          : read_bcf(wanted);
        if (!is_whole) tell_damage(diagnostics);
        return is_whole;
    }

private:
    bool is_text() const { return file_->format.format == vcf; }

    void add_assembly(const bcf_hrec_t& line) {
        const std::string_view key = line.key ? line.key : "";
        if (line.type == BCF_HL_GEN && (key == "reference" || key == "assembly"))
            assemblies_.emplace_back(line.value ? line.value : "");
        if (line.type != BCF_HL_CTG) return;
        for (int k = 0; k < line.nkeys; ++k)
            if (std::string_view(line.keys[k]) == "assembly" && line.vals[k] != nullptr &&
                std::ranges::count(assemblies_, line.vals[k]) == 0)
                assemblies_.emplace_back(line.vals[k]);
    }

    /// An index older than its file may be of another one, and is left alone.
    void load_index() {
        if (file_->format.compression != bgzf) return;
        const auto is_current = [&](const char* ending) {
            std::error_code error;
            const auto index = std::filesystem::last_write_time(path_.string() + ending, error);
            return !error && index >= std::filesystem::last_write_time(path_, error);
        };
        if (!is_current(".csi") && !is_current(".tbi")) return;
        if (is_text())
            tabix_.reset(tbx_index_load3(path_.c_str(), nullptr, HTS_IDX_SILENT_FAIL));
        else
            index_.reset(bcf_index_load3(path_.c_str(), nullptr, HTS_IDX_SILENT_FAIL));
    }

    bool read_vcf(const WantedRegions& wanted) {
        HtsLine line;
        int status = 0;
        while ((status = hts_getline(file_.get(), KS_SEP_LINE, &line.text)) >= 0) {
            ++n_read_;
            if (line.text.l > 0 && is_wanted(line.view(), wanted) && !parse(line)) return false;
        }
        return status == -1; // the end
    }

    bool is_wanted(std::string_view line, const WantedRegions& wanted) {
        const std::string_view chromosome = line.substr(0, line.find('\t'));
        if (chromosome != last_chromosome_) {
            last_chromosome_ = chromosome;
            last_bare_ = bare_chromosome(chromosome);
        }
        if (wanted.end_before(last_bare_, 0)) return false;
        const std::int64_t pos = number_of(field(line, 1));
        if (wanted.end_before(last_bare_, pos)) return false;
        return wanted.overlap(last_bare_, pos, end_of(line, pos));
    }

    bool parse(HtsLine& line) {
        if (vcf_parse(&line.text, header_.get(), record_.get()) != 0) return false;
        return pass_on();
    }

    bool read_bcf(const WantedRegions& wanted) {
        int status = 0;
        while ((status = bcf_read(file_.get(), header_.get(), record_.get())) >= 0) {
            ++n_read_;
            if (wanted.overlap(bare_chromosome(bcf_seqname_safe(header_.get(), record_.get())),
                               record_->pos + 1,
                               record_->pos + std::max<std::int64_t>(record_->rlen, 1)) &&
                !pass_on())
                return false;
        }
        return status == -1;
    }

    bool read_indexed_vcf(const WantedRegions& wanted) {
        HtsLine line;
        for (const auto& [bare, stretches] : wanted.all())
            for (const std::string& name : {bare, "chr" + bare}) {
                const int id = tbx_name2id(tabix_.get(), name.c_str());
                if (id < 0) continue;
                for (const auto& [first, last] : stretches) {
                    const HtsIterator iterator(tbx_itr_queryi(tabix_.get(), id, first - 1, last));
                    if (iterator == nullptr) return false;
                    int status = 0;
                    while ((status = tbx_itr_next(
                                file_.get(), tabix_.get(), iterator.get(), &line.text)) >= 0)
                        if (++n_read_; !parse(line)) return false;
                    if (status != -1) return false;
                }
            }
        return true;
    }

    bool read_indexed_bcf(const WantedRegions& wanted) {
        for (const auto& [bare, stretches] : wanted.all())
            for (const std::string& name : {bare, "chr" + bare}) {
                const int id = bcf_hdr_name2id(header_.get(), name.c_str());
                if (id < 0) continue;
                for (const auto& [first, last] : stretches) {
                    const HtsIterator iterator(bcf_itr_queryi(index_.get(), id, first - 1, last));
                    if (iterator == nullptr) continue; // nothing of the contig in the file
                    int status = 0;
                    while ((status = bcf_itr_next(file_.get(), iterator.get(), record_.get())) >= 0)
                        if (++n_read_; !pass_on()) return false;
                    if (status != -1) return false;
                }
            }
        return true;
    }

    /// From htslib's record to ours.
    bool pass_on() {
        bcf1_t& from = *record_;
        // Contigs and tags that the header does not declare are declared by htslib on the way.
        constexpr int harmless = BCF_ERR_CTG_UNDEF | BCF_ERR_TAG_UNDEF;
        if (bcf_unpack(&from, BCF_UN_ALL) != 0 || (from.errcode & ~harmless) != 0) return false;
        if (from.n_sample != samples_.size() || from.n_allele == 0) return false;
        VariantRecord record;
        record.chrom = "chr" + bare_chromosome(bcf_seqname_safe(header_.get(), &from));
        record.pos = from.pos + 1;
        record.end = from.pos + std::max<std::int64_t>(from.rlen, 1);
        for (unsigned a = 0; a < from.n_allele; ++a)
            record.alleles.push_back(upper_case(from.d.allele[a]));
        record.is_filtered = is_filtered(from);
        if (!read_genotypes(from, record)) return false;
        (*visit_)(record);
        return true;
    }

    bool is_filtered(bcf1_t& from) {
        char pass[] = "PASS";
        return from.d.n_flt > 0 && bcf_has_filter(header_.get(), &from, pass) != 1;
    }

    /// A record without genotypes has missing ones.
    bool read_genotypes(bcf1_t& from, VariantRecord& record) {
        const std::size_t n_samples = samples_.size();
        const int n =
            bcf_get_genotypes(header_.get(), &from, &genotypes_.data, &genotypes_.capacity);
        const bool has_genotypes = n > 0 && n_samples > 0;
        record.n_copies = has_genotypes ? static_cast<std::size_t>(n) / n_samples : 1;
        copies_.assign(n_samples * record.n_copies, missing_allele);
        phased_.assign(n_samples, 0);
        for (std::size_t i = 0; has_genotypes && i < copies_.size(); ++i) {
            const std::int32_t value = genotypes_.data[i];
            const bool is_second = i % record.n_copies > 0;
            if (value == bcf_int32_vector_end)
                copies_[i] = no_allele;
            else if (!bcf_gt_is_missing(value))
                copies_[i] = bcf_gt_allele(value);
            if (copies_[i] >= static_cast<std::int32_t>(from.n_allele) || copies_[i] < no_allele)
                return false;
            if (is_second && value != bcf_int32_vector_end && bcf_gt_is_phased(value))
                phased_[i / record.n_copies] = 1;
        }
        read_phase_sets(from);
        record.genotypes = copies_;
        record.is_phased = phased_;
        record.phase_sets = sets_;
        return true;
    }

    void read_phase_sets(bcf1_t& from) {
        sets_.assign(samples_.size(), 0);
        const int n = bcf_get_format_int32(
            header_.get(), &from, "PS", &set_values_.data, &set_values_.capacity);
        if (n < 0 || static_cast<std::size_t>(n) != samples_.size()) return;
        for (std::size_t s = 0; s < samples_.size(); ++s)
            if (set_values_.data[s] != bcf_int32_missing &&
                set_values_.data[s] != bcf_int32_vector_end)
                sets_[s] = set_values_.data[s];
    }

    void tell_damage(sim::DiagnosticList& diagnostics) {
        auto nameless =
            std::make_shared<const sim::SourceFile>(sim::SourceFile{path_.string(), {}});
        diagnostics.add(
            {nameless, 0, 0, 1},
            is_text() && !has_index()
                ? fmt::format("line {} is no record of a VCF, or the file ends too early",
                              file_->lineno)
                : fmt::format("record {} cannot be read: the file or its index is damaged",
                              std::max<std::uint64_t>(n_read_, 1)),
            "bcftools view tells more");
    }

    std::filesystem::path path_;
    HtsFile file_;
    HtsHeader header_;
    HtsRecord record_;
    HtsIndex index_;
    HtsTabix tabix_;
    std::vector<std::string> samples_, assemblies_;
    std::vector<VariantContig> contigs_;
    const std::function<void(const VariantRecord&)>* visit_ = nullptr;
    HtsNumbers genotypes_, set_values_;
    std::vector<std::int32_t> copies_, sets_;
    std::vector<std::uint8_t> phased_;
    std::string last_chromosome_, last_bare_;
    std::uint64_t n_read_ = 0;
};

} // namespace

std::unique_ptr<VariantFile> open_variants(const std::filesystem::path& path,
                                           sim::DiagnosticList& diagnostics) {
    hts_set_log_level(HTS_LOG_OFF);
    auto nameless = std::make_shared<const sim::SourceFile>(sim::SourceFile{path.string(), {}});
    const auto mistake = [&](const char* message) {
        diagnostics.add({nameless, 0, 0, 1}, message);
        return nullptr;
    };
    std::error_code error;
    if (!std::filesystem::exists(path, error)) return mistake("there is no such file");
    if (!std::filesystem::is_regular_file(path, error)) return mistake("this is no file");
    HtsFile file(hts_open(std::filesystem::absolute(path, error).c_str(), "r"));
    if (file == nullptr) return mistake("the file cannot be read");
    if (file->format.format != vcf && file->format.format != bcf)
        return mistake("this is neither VCF nor BCF");
    if (file->format.compression == bgzf && hts_check_EOF(file.get()) == 0)
        return mistake("the file ends too early: it was not copied or written whole");
    HtsHeader header(bcf_hdr_read(file.get()));
    if (header == nullptr) return mistake("the header is no VCF header");
    return std::make_unique<HtsVariantFile>(path, std::move(file), std::move(header));
}

} // namespace gemel::io
