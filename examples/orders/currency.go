package orders

import (
	"strconv"
	"strings"
)

// currencies are the codes of ISO 4217 that money is paid in, by the number of decimals of their minor unit. CLDR, and
// with it golang.org/x/text/currency, counts the decimals that people write, which are fewer for some.
var currencies = map[int]string{
	0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
	2: "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP " +
		"CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS " +
		"KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD " +
		"PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP " +
		"TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG",
	3: "BHD IQD JOD KWD LYD OMR TND",
}

// decimals returns the number of decimals of a currency, and whether there is such a currency.
func decimals(currency string) (int, bool) {
	if len(currency) != 3 || strings.ContainsRune(currency, ' ') {
		return 0, false
	}
	for n, codes := range currencies {
		if strings.Contains(codes, currency) {
			return n, true
		}
	}
	return 0, false
}

// minorUnits returns how many minor units one unit of a currency has.
func minorUnits(currency string) int64 {
	n, _ := decimals(currency)
	units := int64(1)
	for range n {
		units *= 10
	}
	return units
}

// FormatAmount writes an amount of minor units as people do: "EUR 25.00", "JPY 2500".
func FormatAmount(minor int64, currency string) string {
	n, _ := decimals(currency)
	if n == 0 {
		return currency + " " + strconv.FormatInt(minor, 10)
	}
	units := minorUnits(currency)
	fraction := strconv.FormatInt(minor%units, 10)
	return currency + " " + strconv.FormatInt(minor/units, 10) + "." + strings.Repeat("0", n-len(fraction)) + fraction
}
